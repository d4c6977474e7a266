/** Reports of a state: metering records, billed usage, customers, calls. */
import * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Encoding from "effect/Encoding"
import * as HashMap from "effect/HashMap"
import * as Record from "effect/Record"
import * as Schema from "effect/Schema"
import { jsonEncoder } from "../../../internal/schema/jsonEncoder.js"
import { shapeOf } from "../../../internal/schema/shape.js"
import type { OperationName } from "../../../MeteringError.js"
import * as Report from "../../Report.js"
import type { Customer } from "../../Scenario.js"
import { hourOf } from "../model/acceptanceWindow.js"
import * as callLog from "../model/callLog.js"
import { firstIndex } from "../model/firstIndex.js"
import { operations, operationsByName } from "../model/operations.js"
import type { MeteredUsage, State } from "../model/state.js"
import * as usageStore from "../model/usageStore.js"
import { operationCodec } from "../protocol/awsJsonServer.js"
import * as slices from "./slices.js"

/** Orders records by product, customer, dimension, hour and id. */
const compareRecords = (left: MeteredUsage, right: MeteredUsage): number =>
  compareByHour(left, right) || compare(left.meteringRecordId, right.meteringRecordId)

/** Orders records by product, customer, dimension and hour. */
const compareByHour = (left: HourKey, right: HourKey): number =>
  compare(left.productCode, right.productCode) ||
  compare(left.customerAWSAccountId, right.customerAWSAccountId) ||
  compare(left.dimension, right.dimension) ||
  hourOf(left.timestamp) - hourOf(right.timestamp)

type HourKey = Pick<
  MeteredUsage,
  "productCode" | "customerAWSAccountId" | "dimension" | "timestamp"
>

const compare = (left: string, right: string): number => (left < right ? -1 : left > right ? 1 : 0)

/** Caches the sorted records of a state, so that all pages of it need only one sort. */
const sortCache = new WeakMap<State["metered"], ReadonlyArray<MeteredUsage>>()

const sorted = ({ metered }: State): Effect.Effect<ReadonlyArray<MeteredUsage>> =>
  Effect.suspend(() => {
    const cached = sortCache.get(metered)
    return cached !== undefined
      ? Effect.succeed(cached)
      : Effect.tap(slices.sort(usageStore.values(metered), compareRecords), (all) =>
          Effect.sync(() => sortCache.set(metered, all))
        )
  })

export const records = (state: State): Effect.Effect<ReadonlyArray<Report.MeteringRecord>> =>
  Effect.flatMap(sorted(state), (all) => slices.map(all, recordOf))

const recordOf = (metered: MeteredUsage): Report.MeteringRecord => ({
  meteringRecordId: metered.meteringRecordId,
  operation: metered.operation,
  productCode: metered.productCode,
  customerAWSAccountId: metered.customerAWSAccountId,
  dimension: metered.dimension,
  hour: DateTime.unsafeMake(hourOf(metered.timestamp)),
  timestamp: DateTime.unsafeMake(metered.timestamp),
  quantity: metered.quantity,
  ...(metered.licenseArn !== undefined && { licenseArn: metered.licenseArn }),
  ...(metered.usageAllocations !== undefined && { usageAllocations: metered.usageAllocations })
})

/** Returns a page of records. Fails with a message if the options are invalid. */
export const recordsPage = (
  state: State,
  options: Report.PageOptions
): Effect.Effect<Report.RecordsPage, string> =>
  Effect.gen(function* () {
    const { limit, position } = yield* parsePageOptions(options)
    const all = yield* sorted(state)
    const from =
      position === undefined
        ? 0
        : firstIndex(
            all,
            (one) =>
              (compareByHour(one, position) || compare(one.meteringRecordId, position.id)) > 0
          )
    const page = all.slice(from, from + limit)
    const last = page.at(-1)
    return {
      records: page.map(recordOf),
      ...(last !== undefined &&
        from + limit < all.length && { next: encodeCursor(last, last.meteringRecordId) })
    }
  })

/** Returns all billed usage. Sorting has made the records of the same product, customer, dimension and hour adjacent. */
export const billed = (state: State): Effect.Effect<ReadonlyArray<Report.BilledUsage>> =>
  Effect.flatMap(sorted(state), (all) =>
    Effect.gen(function* () {
      const found: Array<Report.BilledUsage> = []
      let from = 0
      while (from < all.length) {
        const { page, to } = billedFrom(all, from, billedPerTask)
        for (const one of page) found.push(one)
        from = to
        if (from < all.length) yield* slices.yieldToEventLoop
      }
      return found
    })
  )

/** Number of billed hours to sum before yielding to the event loop. */
const billedPerTask = 8192

/** Returns a page of billed usage. Fails with a message if the options are invalid. */
export const billedPage = (
  state: State,
  options: Report.PageOptions
): Effect.Effect<Report.BilledPage, string> =>
  Effect.gen(function* () {
    const { limit, position } = yield* parsePageOptions(options)
    const all = yield* sorted(state)
    const from =
      position === undefined ? 0 : firstIndex(all, (one) => compareByHour(one, position) > 0)
    const { page, to } = billedFrom(all, from, limit)
    const last = all[to - 1]
    return {
      billed: page,
      ...(last !== undefined && to < all.length && { next: encodeCursor(last, "") })
    }
  })

/** Sums the records from an index on, up to `limit` billed hours. `to` is the index after the last summed record. */
const billedFrom = (all: ReadonlyArray<MeteredUsage>, from: number, limit: number) => {
  const page: Array<Report.BilledUsage> = []
  let to = from
  while (page.length < limit) {
    const first = all[to]
    if (first === undefined) break
    let quantity = 0
    for (
      let one: MeteredUsage | undefined = first;
      one !== undefined && compareByHour(one, first) === 0;
      one = all[++to]
    ) {
      quantity += one.quantity
    }
    const { customerAWSAccountId, dimension, productCode, timestamp } = first
    page.push({
      productCode,
      customerAWSAccountId,
      dimension,
      hour: DateTime.unsafeMake(hourOf(timestamp)),
      quantity
    })
  }
  return { page, to }
}

/** The sort key of the last entry of a page. Entries that are added later do not change where the next page starts. */
const Cursor = Schema.parseJson(
  Schema.Tuple(Schema.String, Schema.String, Schema.String, Schema.Number, Schema.String)
)

const encodeCursor = (
  { customerAWSAccountId, dimension, productCode, timestamp }: HourKey,
  id: string
) =>
  Encoding.encodeBase64Url(
    Schema.encodeSync(Cursor)([productCode, customerAWSAccountId, dimension, hourOf(timestamp), id])
  )

export const invalidCursor = 'after: expected the "next" of another page'

const decodeCursor = (token: string) =>
  Encoding.decodeBase64UrlString(token).pipe(
    Either.flatMap((text) => Schema.decodeEither(Cursor)(text)),
    Either.mapBoth({
      onLeft: () => invalidCursor,
      onRight: ([productCode, customerAWSAccountId, dimension, hour, id]) => ({
        productCode,
        customerAWSAccountId,
        dimension,
        timestamp: hour,
        id
      })
    })
  )

/** Returns the number of entries of a page, or a message if `limit` is invalid. */
export const limitOf = ({ limit = Report.defaultPageLimit }: Report.PageOptions) =>
  Number.isInteger(limit) && limit >= 1 && limit <= Report.maxPageLimit
    ? Either.right(limit)
    : Either.left(`limit: expected a whole number from 1 to ${Report.maxPageLimit}`)

const parsePageOptions = (options: Report.PageOptions) =>
  Either.gen(function* () {
    const limit = yield* limitOf(options)
    const { after } = options
    return { limit, position: after === undefined ? undefined : yield* decodeCursor(after) }
  })

/** Returns the customers, sorted by account. */
export const customers = (state: State): ReadonlyArray<Customer> =>
  Array.from(HashMap.values(state.catalog.customers)).sort((left, right) =>
    compare(left.customerAWSAccountId, right.customerAWSAccountId)
  )

export const log = (state: State): ReadonlyArray<Report.Call> =>
  callLog.toArray(state.log).map(callOf)

const callOf = ({
  response,
  at,
  fault,
  operation,
  request,
  requestId,
  callerIdentity
}: callLog.LoggedCall): Report.Call => ({
  requestId,
  at: DateTime.unsafeMake(at),
  ...(operation !== undefined && { operation }),
  ...(callerIdentity.accessKeyId !== undefined && { accessKeyId: callerIdentity.accessKeyId }),
  signature: callerIdentity.signature,
  fault,
  ...(operation !== undefined &&
    request !== undefined && { request: redactRequest(requestOf(operation, request)) }),
  ...(typeof response === "string" && { status: 200, response: JSON.parse(response) }),
  ...(typeof response === "object" &&
    Either.match(response, {
      onLeft: ({ body, status }) => ({
        status,
        response: body.startsWith("{") ? JSON.parse(body) : body
      }),
      onRight: ({ fields }) => ({
        status: 200,
        ...(operation !== undefined && { response: encoders[operation].response(fields) })
      })
    }))
})

const requestOf = (operation: OperationName, request: object) => {
  const { decode, request: encode } = encoders[operation]
  // does not throw, because the body was already decoded when the call was handled
  return encode(request instanceof Uint8Array ? Either.getOrThrow(decode(request)) : request)
}

const redactRequest = (request: Record<string, unknown>) =>
  "RegistrationToken" in request ? { ...request, RegistrationToken: "<redacted>" } : request

const encoders = Record.map(operationsByName(operations), (operation) => ({
  decode: operationCodec(operation).decode,
  request: jsonEncoder(shapeOf(operation.request)),
  response: jsonEncoder(shapeOf(operation.response))
}))
