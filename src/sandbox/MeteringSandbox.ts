/**
 * AWS Marketplace Metering in memory: a `MeteringClient` that behaves as the service does, and a service to
 * look behind the scenes with. Nothing of it is random, and time is Effect's `Clock`, so that `TestClock`
 * moves it.
 *
 * @since 0.1.0
 */
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as DateTime from "effect/DateTime"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as HashMap from "effect/HashMap"
import * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import * as Ref from "effect/Ref"
import * as Schema from "effect/Schema"
import { type Refusal, statusOf } from "../internal/awsJsonServer.js"
import { type Execute, make as makeService } from "../internal/service.js"
import { MeteringClient } from "../MeteringClient.js"
import {
  type ModelledException,
  type OperationName,
  UnknownServiceError
} from "../MeteringError.js"
import type { ExceptionClass, WireClass } from "../Operation.js"
import type { Rule } from "../Preflight.js"
import type { UsageAllocation } from "../UsageAllocation.js"
import * as keys from "./internal/keys.js"
import * as machine from "./internal/machine.js"
import { mint } from "./internal/resolveCustomer.js"
import { initial, type Metered, type State } from "./internal/state.js"
import { faultOf, worldOf } from "./internal/world.js"
import { defaultScenario, type Scenario } from "./Scenario.js"

/**
 * A metered quantity that the sandbox has accepted.
 *
 * @since 0.1.0
 * @category models
 */
export interface MeteringRecord {
  readonly meteringRecordId: string
  readonly operation: OperationName
  readonly productCode: string
  /** Only for usage that was sent with a licence instead of a product code. */
  readonly licenseArn?: string
  readonly customerAWSAccountId: string
  readonly dimension: string
  /** The timestamp rounded down to the hour, UTC. */
  readonly hour: DateTime.Utc
  readonly timestamp: DateTime.Utc
  /** Whole units. */
  readonly quantity: number
  readonly usageAllocations?: ReadonlyArray<UsageAllocation>
}

/**
 * What a customer is billed for one dimension of one product in one hour, over all metering records. Usage
 * that was sent both with a licence and with a product code is billed twice, here as by the service.
 *
 * @since 0.1.0
 * @category models
 */
export interface Billed {
  readonly productCode: string
  readonly customerAWSAccountId: string
  readonly dimension: string
  readonly hour: DateTime.Utc
  /** Whole units. */
  readonly quantity: number
}

/**
 * Whom a registration token is for: a customer, by either identity, and a product that it has an agreement
 * for. The first of each, when left out.
 *
 * @since 0.1.0
 * @category models
 */
export interface Subscriber {
  readonly customerAWSAccountId?: string | undefined
  readonly customerIdentifier?: string | undefined
  readonly productCode?: string | undefined
}

/**
 * The sandbox was asked for something that its scenario does not have.
 *
 * @since 0.1.0
 * @category errors
 */
export class SandboxError extends Schema.TaggedError<SandboxError>(
  "effect-marketplace-metering/SandboxError"
)("SandboxError", { reason: Schema.String }) {
  override get message() {
    return this.reason
  }
}

/**
 * What there is to do and to see behind the scenes.
 *
 * @since 0.1.0
 * @category models
 */
export interface Service {
  /** A registration token, as a buyer's browser would bring it to the seller's page. */
  readonly mintToken: (subscriber?: Subscriber) => Effect.Effect<Redacted.Redacted, SandboxError>
  /** All that is billed, by product, customer, dimension and hour, in that order. */
  readonly billed: Effect.Effect<ReadonlyArray<Billed>>
  /** Every metering record, in the same order. */
  readonly records: Effect.Effect<ReadonlyArray<MeteringRecord>>
  /** How many calls of each operation have come through to the service. */
  readonly calls: Effect.Effect<Readonly<Record<OperationName, number>>>
  /** The public key, SPKI in PEM, that verifies the signatures of RegisterUsage; for all versions. */
  readonly publicKey: Effect.Effect<string>
  /** Back to the scenario: forgets calls, tokens and usage, keeps the key. */
  readonly reset: Effect.Effect<void>
}

/**
 * The sandbox behind an in-memory `MeteringClient`.
 *
 * @example
 * ```ts
 * import { Effect } from "effect"
 * import { MeteringClient } from "effect-marketplace-metering"
 * import { MeteringSandbox } from "effect-marketplace-metering/sandbox"
 *
 * const program = Effect.gen(function* () {
 *   const sandbox = yield* MeteringSandbox.MeteringSandbox
 *   const registrationToken = yield* sandbox.mintToken({ customerAWSAccountId: "111122223333" })
 *   return yield* MeteringClient.resolveCustomer({ registrationToken })
 * }).pipe(Effect.provide(MeteringSandbox.layer()))
 * ```
 *
 * @since 0.1.0
 * @category tags
 */
export class MeteringSandbox extends Context.Tag("effect-marketplace-metering/MeteringSandbox")<
  MeteringSandbox,
  Service
>() {}

/**
 * A scenario, in whole or in part (the rest is of `Scenario.defaultScenario`; whoever gives customers and no
 * caller calls as the first of them), and:
 *
 * - `except`: preflight rules that the client does not check. The sandbox still does, and answers with the
 *   service's own exception: so a program can be shown what bad input would bring it.
 * - `registrationTokenLifetime`: how long a registration token can be resolved. Sources say one hour and
 *   four hours; 4 hours when left out.
 *
 * @since 0.1.0
 * @category models
 */
export interface Options {
  readonly region?: string | undefined
  readonly products?: Scenario["products"] | undefined
  readonly customers?: Scenario["customers"] | undefined
  readonly caller?: Scenario["caller"]
  readonly except?: ReadonlyArray<Rule> | undefined
  readonly registrationTokenLifetime?: Duration.DurationInput | undefined
}

/**
 * A `MeteringClient` over a sandbox of its own, and the `MeteringSandbox` to look into it.
 *
 * All limits and outcomes of the service are kept: shapes, windows, whole-call refusals, the fate of each
 * record. Within a call, records are entered by time and then by quantity, so that the order of the call does
 * not decide what is billed. Dies with a `SandboxError` when the scenario contradicts itself.
 *
 * @example
 * ```ts
 * import { DateTime, Effect } from "effect"
 * import { MeteringClient } from "effect-marketplace-metering"
 * import { MeteringSandbox } from "effect-marketplace-metering/sandbox"
 *
 * const program = Effect.gen(function* () {
 *   const timestamp = yield* DateTime.now
 *   yield* MeteringClient.batchMeterUsage({
 *     productCode: "sandbox-analytics",
 *     usageRecords: [
 *       { timestamp, dimension: "api-calls", quantity: 42, customerAWSAccountId: "111122223333" }
 *     ]
 *   })
 *   const sandbox = yield* MeteringSandbox.MeteringSandbox
 *   return yield* sandbox.billed
 * }).pipe(Effect.provide(MeteringSandbox.layer()))
 * ```
 *
 * @see https://docs.aws.amazon.com/marketplace/latest/APIReference/API_marketplace-metering_BatchMeterUsage.html
 * @since 0.1.0
 * @category layers
 */
export const layer = (options: Options = {}): Layer.Layer<MeteringClient | MeteringSandbox> =>
  Layer.effectContext(
    Effect.gen(function* () {
      const scenario = scenarioOf(options)
      const fault = faultOf(scenario)
      if (fault !== undefined) return yield* Effect.die(new SandboxError({ reason: fault }))

      const start = initial(worldOf(scenario), {
        tokenLifetime: Duration.toMillis(options.registrationTokenLifetime ?? "4 hours")
      })
      const state = yield* Ref.make(start)
      const keyPair = yield* keys.make

      const client = makeService(execute(state, keyPair), {
        attributes: { "server.address": "sandbox" },
        except: options.except ?? []
      })
      const buyer = scenario.customers.find(({ agreements }) => agreements.length > 0)
      const sandbox: Service = {
        mintToken: (subscriber) =>
          Effect.flatMap(Clock.currentTimeMillis, (now) =>
            Effect.flatMap(
              Ref.modify(state, (state) => mint(state, withBuyer(subscriber, buyer), now)),
              Either.match({
                onLeft: (reason) => Effect.fail(new SandboxError({ reason })),
                onRight: (token) => Effect.succeed(Redacted.make(token))
              })
            )
          ),
        billed: Effect.map(Ref.get(state), (state) => totals(metered(state))),
        records: Effect.map(Ref.get(state), (state) => metered(state).map(recordOf)),
        calls: Effect.map(Ref.get(state), (state) => state.calls),
        publicKey: Effect.map(keyPair, (pair) => pair.publicKey),
        reset: Ref.set(state, start)
      }
      return Context.make(MeteringClient, client).pipe(Context.add(MeteringSandbox, sandbox))
    })
  )

const scenarioOf = ({ caller, customers, products, region }: Options): Scenario => ({
  region: region ?? defaultScenario.region,
  products: products ?? defaultScenario.products,
  customers: customers ?? defaultScenario.customers,
  caller: caller ?? (customers === undefined ? defaultScenario.caller : undefined)
})

const withBuyer = (subscriber: Subscriber = {}, buyer: Subscriber | undefined): Subscriber =>
  subscriber.customerAWSAccountId === undefined && subscriber.customerIdentifier === undefined
    ? { ...subscriber, customerAWSAccountId: buyer?.customerAWSAccountId }
    : subscriber

// ---------------------------------------------------------------------------------------------------
// calls
// ---------------------------------------------------------------------------------------------------

/** One call, one step of the state machine; signing is all that is left to do after it. */
const execute =
  (state: Ref.Ref<State>, keyPair: Effect.Effect<keys.KeyPair>): Execute =>
  (operation) =>
  (request) =>
    Effect.flatMap(Clock.currentTimeMillis, (now) =>
      Effect.flatMap(
        Ref.modify(state, (state) => machine.step(state, operation.name, request, now)),
        ({ answer, requestId }) => {
          if (Either.isLeft(answer)) {
            return Effect.fail(errorOf(operation, answer.left, requestId))
          }
          const { claims, members } = answer.right
          const respond = (signed: object) =>
            responseOf(operation.response, { ...members, ...signed, requestId, statusCode: 200 })
          return claims === undefined
            ? Effect.succeed(respond({}))
            : Effect.map(
                Effect.flatMap(keyPair, (pair) => pair.sign(claims)),
                (signature) => respond({ signature })
              )
        }
      )
    )

const responseOf = <Response>(schema: WireClass<Response>, fields: object): Response => {
  // a schema has a constructor signature of its own, which hides the class's
  const Class = schema as unknown as new (fields: object, unchecked: true) => Response
  return new Class(fields, true)
}

/** What the client over HTTP makes of this refusal. */
const errorOf = <E extends ModelledException>(
  operation: {
    readonly name: OperationName
    readonly exceptions: ReadonlyArray<ExceptionClass<E>>
  },
  { code, message }: Refusal,
  requestId: string
): E | UnknownServiceError => {
  const fields = {
    operation: operation.name,
    statusCode: statusOf(code),
    requestId,
    ...(message !== undefined && { serviceMessage: message })
  }
  const modelled = operation.exceptions.find((exception) => exception._tag === code)
  return modelled === undefined
    ? new UnknownServiceError({ ...fields, code }, true)
    : new modelled(fields, true)
}

// ---------------------------------------------------------------------------------------------------
// what is billed
// ---------------------------------------------------------------------------------------------------

const metered = (state: State): ReadonlyArray<Metered> =>
  Array.from(HashMap.values(state.metered)).sort(
    (left, right) =>
      compare(left.productCode, right.productCode) ||
      compare(left.customerAWSAccountId, right.customerAWSAccountId) ||
      compare(left.dimension, right.dimension) ||
      left.hour - right.hour ||
      compare(left.meteringRecordId, right.meteringRecordId)
  )

const compare = (left: string, right: string): number => (left < right ? -1 : left > right ? 1 : 0)

const recordOf = ({
  licenseArn,
  split: _,
  usageAllocations,
  ...record
}: Metered): MeteringRecord => ({
  ...record,
  hour: DateTime.unsafeMake(record.hour),
  timestamp: DateTime.unsafeMake(record.timestamp),
  ...(licenseArn !== undefined && { licenseArn }),
  ...(usageAllocations !== undefined && { usageAllocations })
})

/** Records of the same product, customer, dimension and hour follow each other. */
const totals = (sorted: ReadonlyArray<Metered>): ReadonlyArray<Billed> => {
  const all: Array<Billed> = []
  for (const { customerAWSAccountId, dimension, hour, productCode, quantity } of sorted) {
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
