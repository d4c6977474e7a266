/** A state as there is to see of it. */
import * as DateTime from "effect/DateTime"
import * as Either from "effect/Either"
import * as HashMap from "effect/HashMap"
import * as BatchMeterUsage from "../../BatchMeterUsage.js"
import * as codec from "../../internal/codec.js"
import { of } from "../../internal/shape.js"
import type { OperationName } from "../../MeteringError.js"
import * as MeterUsage from "../../MeterUsage.js"
import * as RegisterUsage from "../../RegisterUsage.js"
import * as ResolveCustomer from "../../ResolveCustomer.js"
import type * as Report from "../Report.js"
import type { Customer } from "../Scenario.js"
import type { Called, Metered, State } from "./state.js"

/** By product, customer, dimension, hour and id. */
const sorted = (state: State): ReadonlyArray<Metered> =>
  Array.from(HashMap.values(state.metered)).sort(
    (left, right) =>
      compare(left.productCode, right.productCode) ||
      compare(left.customerAWSAccountId, right.customerAWSAccountId) ||
      compare(left.dimension, right.dimension) ||
      left.hour - right.hour ||
      compare(left.meteringRecordId, right.meteringRecordId)
  )

const compare = (left: string, right: string): number => (left < right ? -1 : left > right ? 1 : 0)

export const records = (state: State): ReadonlyArray<Report.MeteringRecord> =>
  sorted(state).map(({ licenseArn, split: _, usageAllocations, ...record }) => ({
    ...record,
    hour: DateTime.unsafeMake(record.hour),
    timestamp: DateTime.unsafeMake(record.timestamp),
    ...(licenseArn !== undefined && { licenseArn }),
    ...(usageAllocations !== undefined && { usageAllocations })
  }))

/** Records of the same product, customer, dimension and hour follow each other. */
export const billed = (state: State): ReadonlyArray<Report.Billed> => {
  const all: Array<Report.Billed> = []
  for (const { customerAWSAccountId, dimension, hour, productCode, quantity } of sorted(state)) {
    const last = all.at(-1)
    if (
      last?.productCode === productCode &&
      last.customerAWSAccountId === customerAWSAccountId &&
      last.dimension === dimension &&
      last.hour.epochMillis === hour
    ) {
      all[all.length - 1] = { ...last, quantity: last.quantity + quantity }
    } else {
      all.push({
        productCode,
        customerAWSAccountId,
        dimension,
        hour: DateTime.unsafeMake(hour),
        quantity
      })
    }
  }
  return all
}

/** By account. */
export const customers = (state: State): ReadonlyArray<Customer> =>
  Array.from(HashMap.values(state.world.customers)).sort((left, right) =>
    compare(left.customerAWSAccountId, right.customerAWSAccountId)
  )

export const log = (state: State): ReadonlyArray<Report.Call> => state.log.map(callOf)

const callOf = ({
  answer,
  at,
  fault,
  operation,
  request,
  requestId,
  visitor
}: Called): Report.Call => ({
  requestId,
  at: DateTime.unsafeMake(at),
  ...(operation !== undefined && { operation }),
  ...(visitor.accessKeyId !== undefined && { accessKeyId: visitor.accessKeyId }),
  signature: visitor.signature,
  fault,
  ...(operation !== undefined &&
    request !== undefined && { request: withoutSecrets(wire[operation].request(request)) }),
  ...(answer !== undefined &&
    Either.match(answer, {
      onLeft: ({ body, status }) => ({
        status,
        answer: body.startsWith("{") ? JSON.parse(body) : body
      }),
      onRight: ({ members }) => ({
        status: 200,
        ...(operation !== undefined && { answer: wire[operation].response(members) })
      })
    }))
})

const withoutSecrets = (request: Record<string, unknown>) =>
  "RegistrationToken" in request ? { ...request, RegistrationToken: "<redacted>" } : request

const wireOf = ({ request, response }: typeof BatchMeterUsage.operation | Wire) => ({
  request: codec.projection(of(request)),
  response: codec.projection(of(response))
})

type Wire =
  | typeof MeterUsage.operation
  | typeof RegisterUsage.operation
  | typeof ResolveCustomer.operation

const wire: { readonly [Name in OperationName]: ReturnType<typeof wireOf> } = {
  MeterUsage: wireOf(MeterUsage.operation),
  BatchMeterUsage: wireOf(BatchMeterUsage.operation),
  RegisterUsage: wireOf(RegisterUsage.operation),
  ResolveCustomer: wireOf(ResolveCustomer.operation)
}
