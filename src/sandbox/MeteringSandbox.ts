/**
 * AWS Marketplace Metering in memory: a `MeteringClient` that behaves like the service, and a `MeteringSandbox` to act as
 * AWS Marketplace and to inspect what was billed.
 *
 * Randomness comes from a seed and time from Effect's `Clock`, so `TestClock` controls it.
 *
 * @since 0.1.0
 */
import type { PlatformError } from "@effect/platform/Error"
import type * as FileSystem from "@effect/platform/FileSystem"
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as DateTime from "effect/DateTime"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Layer from "effect/Layer"
import * as PubSub from "effect/PubSub"
import * as Redacted from "effect/Redacted"
import * as Stream from "effect/Stream"
import {
  EntitlementClient,
  make as makeEntitlementClient
} from "../entitlement/EntitlementClient.js"
import type { MarketplaceEvent } from "../lifecycle/MarketplaceEvent.js"
import { MeteringClient, make as makeClient } from "../MeteringClient.js"
import type { Rule } from "../Preflight.js"
import type * as EventDelivery from "./EventDelivery.js"
import type { Faults } from "./Fault.js"
import * as faultScript from "./internal/model/faultScript.js"
import { productDetailsOf } from "./internal/model/product.js"
import { reconcile } from "./internal/model/reconcile.js"
import { SandboxError } from "./internal/model/sandboxError.js"
import { change, initial, type State, scheduleChange } from "./internal/model/state.js"
import type { AgreementUpdate } from "./internal/runtime/agreementOperations.js"
import * as agreementOperations from "./internal/runtime/agreementOperations.js"
import { makeTransport } from "./internal/runtime/inMemoryTransport.js"
import * as marketplace from "./internal/runtime/marketplace.js"
import * as outboxReport from "./internal/runtime/outboxReport.js"
import { buy, setUpAccount } from "./internal/runtime/purchase.js"
import * as report from "./internal/runtime/report.js"
import {
  make as makeRuntime,
  type PersistState,
  RunningSandbox,
  runScheduledSteps,
  type SandboxRuntime
} from "./internal/runtime/runtime.js"
import * as signingKey from "./internal/runtime/signingKey.js"
import * as stateFile from "./internal/runtime/stateFile.js"
import * as stateText from "./internal/runtime/stateText.js"
import type * as Marketplace from "./Marketplace.js"
import type * as Report from "./Report.js"
import * as Scenario from "./Scenario.js"

export {
  /**
   * An action or state file that the sandbox cannot accept.
   *
   * - `reason`: the problem and what to do
   *
   * @since 0.1.0
   * @category errors
   */
  SandboxError
}

/**
 * The actions of buyers on AWS Marketplace:
 *
 * - `mintToken`: issues a registration token, as AWS Marketplace sends it to the seller's page
 * - `addCustomer`: adds a customer. A known customer gets the new agreements. Sends no events for past changes of them.
 * - `subscribe`: subscribes a customer to a product
 * - `cancel`: cancels agreements. Their usage is accepted for one more hour.
 * - `suspend`: suspends a customer's AWS account, so that its usage is rejected
 * - `resume`: accepts usage of a suspended customer again
 * - `customers`: the customers in their current state, in the order of their account ids
 * - `products`: the products, in the order of the scenario
 * - `agreements`: the agreements in their current state, with the operations that are possible now, in the order of the
 *   account ids
 * - `buy`: subscribes a customer, and returns the form that AWS Marketplace posts to the seller's page
 * - `setUpAccount`: returns the form of an agreement again, with a new token
 * - `amend`, `renew`, `replace`, `expire`, `terminate`, `issueAdvisory`, `resolveAdvisory`, `failPayment`: the operations
 *   on one agreement, as `Marketplace.Operation` describes them. Fail if the state of the agreement does not allow them.
 *   `renew` and `replace` return the new agreement.
 *
 * @since 0.1.0
 * @category models
 */
export interface MarketplaceActions {
  readonly mintToken: (
    selector?: Marketplace.AgreementSelector
  ) => Effect.Effect<Redacted.Redacted, SandboxError>
  readonly addCustomer: (
    customer: Marketplace.NewCustomer
  ) => Effect.Effect<Scenario.Customer, SandboxError>
  readonly subscribe: (
    subscription: Marketplace.Subscription
  ) => Effect.Effect<Scenario.Agreement, SandboxError>
  readonly cancel: (
    selector: Marketplace.AgreementSelector
  ) => Effect.Effect<Scenario.Customer, SandboxError>
  readonly suspend: (
    selector: Marketplace.CustomerSelector
  ) => Effect.Effect<Scenario.Customer, SandboxError>
  readonly resume: (
    selector: Marketplace.CustomerSelector
  ) => Effect.Effect<Scenario.Customer, SandboxError>
  readonly customers: Effect.Effect<ReadonlyArray<Scenario.Customer>>
  readonly products: Effect.Effect<ReadonlyArray<Marketplace.ProductDetails>>
  readonly agreements: Effect.Effect<ReadonlyArray<Marketplace.AgreementDetails>>
  readonly buy: (purchase: Marketplace.Purchase) => Effect.Effect<Marketplace.Landing, SandboxError>
  readonly setUpAccount: (
    selector?: Marketplace.AgreementSelector
  ) => Effect.Effect<Marketplace.Landing, SandboxError>
  readonly amend: AgreementOperation<Marketplace.Amendment>
  readonly renew: AgreementOperation<Marketplace.Succession>
  readonly replace: AgreementOperation<Marketplace.Succession>
  readonly expire: AgreementOperation<Marketplace.AgreementSelector>
  readonly terminate: AgreementOperation<Marketplace.AgreementSelector>
  readonly issueAdvisory: AgreementOperation<Marketplace.AgreementSelector>
  readonly resolveAdvisory: AgreementOperation<Marketplace.AgreementSelector>
  readonly failPayment: AgreementOperation<Marketplace.AgreementSelector>
}

/**
 * An operation on the first selected agreement on which it is possible.
 *
 * @since 0.1.0
 * @category models
 */
export type AgreementOperation<Input> = (
  input: Input
) => Effect.Effect<Marketplace.AgreementDetails, SandboxError>

/**
 * The billed usage and the calls that the sandbox recorded:
 *
 * - `billed`: billed usage, sorted by product, customer, dimension and hour
 * - `records`: metering records, in the same order
 * - `billedPage`, `recordsPage`: one page of `billed` and of `records`
 * - `callCounts`: the number of processed calls by operation
 * - `log`: the last 1000 calls, at most 16 MiB, the oldest first. Includes calls that failed before they were processed.
 * - `publicKey`: the public key for signatures of RegisterUsage, as SPKI in PEM. The same for all key versions.
 *
 * @since 0.1.0
 * @category models
 */
export interface Reports {
  readonly billed: Effect.Effect<ReadonlyArray<Report.BilledUsage>>
  readonly records: Effect.Effect<ReadonlyArray<Report.MeteringRecord>>
  readonly billedPage: (
    options?: Report.PageOptions
  ) => Effect.Effect<Report.BilledPage, SandboxError>
  readonly recordsPage: (
    options?: Report.PageOptions
  ) => Effect.Effect<Report.RecordsPage, SandboxError>
  readonly callCounts: Effect.Effect<Report.CallCounts>
  readonly log: Effect.Effect<ReadonlyArray<Report.Call>>
  readonly publicKey: Effect.Effect<string>
}

/**
 * The events that AWS Marketplace would have sent, and their deliveries:
 *
 * - `stream`: the events that are sent while the stream runs, as `lifecycle` models them, in the order in which they are sent.
 *   A subscriber that is 1000 events behind loses the oldest.
 * - `list`: a page of the last 1000 events, and of older events that are held back or not yet delivered, at most 5000 in all,
 *   the oldest first, with their deliveries. `after` also accepts the `eventId` of an event.
 * - `scheduled`: a page of the events that will be sent later, in the order of their times
 * - `resend`: sends an event again
 * - `targets`: the targets of the scenario and their state
 * - `subscribe`: sends the `SubscriptionConfirmation` again to a target of the type `sns`
 * - `deliveryFaults`, `setDeliveryFaults`: the faults of delivery. Faults without `afterLanding` release the events that
 *   `afterLanding` has held back.
 *
 * @example
 * ```ts
 * import { Console, Effect, Stream } from "effect"
 * import { MeteringSandbox } from "effect-marketplace-metering/sandbox"
 *
 * const follow = () =>
 *   Effect.flatMap(MeteringSandbox.MeteringSandbox, ({ events }) =>
 *     Stream.runForEach(events.stream, (event) => Console.log(event._tag))
 *   )
 * ```
 *
 * @since 0.1.0
 * @category models
 */
export interface Events {
  readonly stream: Stream.Stream<MarketplaceEvent>
  readonly list: (
    options?: Report.PageOptions
  ) => Effect.Effect<EventDelivery.EventsPage, SandboxError>
  readonly scheduled: (
    options?: Report.PageOptions
  ) => Effect.Effect<EventDelivery.ScheduledPage, SandboxError>
  readonly resend: (
    resend: EventDelivery.Resend
  ) => Effect.Effect<EventDelivery.SentEvent, SandboxError>
  readonly targets: Effect.Effect<ReadonlyArray<EventDelivery.TargetState>>
  readonly subscribe: (
    selector: EventDelivery.TargetSelector
  ) => Effect.Effect<EventDelivery.TargetState, SandboxError>
  readonly deliveryFaults: Effect.Effect<EventDelivery.DeliveryFaults>
  readonly setDeliveryFaults: (faults: EventDelivery.DeliveryFaults) => Effect.Effect<void>
}

/**
 * The sandbox's clock, faults and state:
 *
 * - `now`: the time of the sandbox's clock. Defaults to Effect's `Clock`.
 * - `setTime`: sets the clock, which runs on from there. Years 0 to 9999. If the new time is before the start or end of an
 *   agreement whose events were already sent, the agreement keeps the state that those events announced, but the new time
 *   alone decides whether its usage is accepted.
 * - `advance`: moves the clock forward and returns the new time
 * - `faults`: the rest of the script, and the random faults
 * - `setFaults`: replaces the faults
 * - `reset`: returns to the scenario. Clears calls, tokens and usage, but keeps the signing key.
 * - `save`: the whole state except the log, as text for `load`. Includes registration tokens and the signing key.
 *   Fails when the text is longer than 256 MiB, about 500 000 metering records.
 * - `load`: replaces the state by a state that was saved in a sandbox of the same scenario
 *
 * @since 0.1.0
 * @category models
 */
export interface Control {
  readonly now: Effect.Effect<DateTime.Utc>
  readonly setTime: (now: DateTime.Utc) => Effect.Effect<void, SandboxError>
  readonly advance: (by: Duration.DurationInput) => Effect.Effect<DateTime.Utc, SandboxError>
  readonly faults: Effect.Effect<Faults>
  readonly setFaults: (faults: Faults) => Effect.Effect<void>
  readonly reset: Effect.Effect<void>
  readonly save: Effect.Effect<string, SandboxError>
  readonly load: (saved: string) => Effect.Effect<void, SandboxError>
}

/**
 * Acts as AWS Marketplace, reports what happened and controls the sandbox:
 *
 * - `marketplace`: the actions of buyers
 * - `report`: billed usage and calls
 * - `events`: events and their deliveries
 * - `control`: clock, faults and state
 *
 * @since 0.1.0
 * @category models
 */
export interface Service {
  readonly marketplace: MarketplaceActions
  readonly report: Reports
  readonly events: Events
  readonly control: Control
}

/**
 * The sandbox of an in-memory `MeteringClient`.
 *
 * @example
 * ```ts
 * import { Effect } from "effect"
 * import { MeteringClient } from "effect-marketplace-metering"
 * import { MeteringSandbox } from "effect-marketplace-metering/sandbox"
 *
 * const program = Effect.gen(function* () {
 *   const sandbox = yield* MeteringSandbox.MeteringSandbox
 *   yield* sandbox.marketplace.addCustomer({ customerAWSAccountId: "555566667777" })
 *   yield* sandbox.marketplace.subscribe({
 *     customerAWSAccountId: "555566667777",
 *     productCode: "sandbox-analytics"
 *   })
 *   const registrationToken = yield* sandbox.marketplace.mintToken({ customerAWSAccountId: "555566667777" })
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
 * A complete or partial scenario, and:
 *
 * - `skipRules`: preflight rules that the client skips, so that the sandbox responds with the service's exception.
 *   Defaults to none.
 *
 * @since 0.1.0
 * @category models
 */
export interface Options extends Scenario.Options {
  readonly skipRules?: ReadonlyArray<Rule> | undefined
}

/**
 * A `MeteringClient` and an `EntitlementClient` of a new in-memory sandbox, and the `MeteringSandbox` that controls it.
 *
 * The sandbox has the limits and results of the service: request shapes, time windows, errors of whole calls, and results of
 * single records. It applies the records of a call in the order of their time and quantity, so that their order in the
 * call does not change what is billed. Dies with a `ScenarioError` if the scenario is invalid.
 *
 * @example
 * ```ts
 * import { DateTime, Effect } from "effect"
 * import { MeteringClient, MeteringRetry } from "effect-marketplace-metering"
 * import { MeteringSandbox } from "effect-marketplace-metering/sandbox"
 *
 * const program = Effect.gen(function* () {
 *   const timestamp = yield* DateTime.now
 *   yield* MeteringClient.batchMeterUsage({
 *     productCode: "sandbox-analytics",
 *     usageRecords: [
 *       { timestamp, dimension: "api-calls", quantity: 42, customerAWSAccountId: "111122223333" }
 *     ]
 *   }).pipe(Effect.retry(MeteringRetry.standard))
 *   const sandbox = yield* MeteringSandbox.MeteringSandbox
 *   return yield* sandbox.report.billed
 * }).pipe(
 *   // the first response is lost after the usage was stored: the retry must not bill it again
 *   Effect.provide(MeteringSandbox.layer({ faults: { script: [{ fault: "cutAfter" }] } }))
 * )
 * ```
 *
 * @see https://docs.aws.amazon.com/marketplace/latest/APIReference/API_marketplace-metering_BatchMeterUsage.html
 * @since 0.1.0
 * @category layers
 */
export const layer = (
  options: Options = {}
): Layer.Layer<MeteringClient | EntitlementClient | MeteringSandbox> =>
  Layer.effectContext(
    Effect.gen(function* () {
      const { skipRules = [], ...scenarioOptions } = options
      const scenario = yield* Effect.orDie(Scenario.make(scenarioOptions))
      const now = yield* Clock.currentTimeMillis
      return yield* make(initial(scenario, now), skipRules)
    })
  )

/**
 * A sandbox that stores its state in a file and continues from it: usage, tokens, customers, the clock, pending faults and
 * the signing key, but not the log of calls.
 *
 * Each change is written before its response is sent, so a killed process loses nothing that a client has seen. Only one
 * sandbox may use a file at a time. This layer does not lock the file; the command `sandbox --state` does. A call whose
 * write fails changes nothing. Only the first of several consecutive failed writes is logged.
 *
 * The scenario may be changed between two starts. Customers that were changed in the sandbox stay as they are, and the future
 * starts and ends of all agreements are scheduled again. Pending deliveries fail if their target was removed, or no longer
 * receives events of their kind. An SNS target with another URL is subscribed again.
 *
 * Give agreements an `agreementId`. Without it, the id of an agreement depends on its position in the customer's list: if
 * another agreement is inserted or removed before it, its scheduled events are not sent.
 *
 * Fails with a `SandboxError` if the file is damaged, empty or of another kind, and does not change it. An incomplete last
 * line is dropped with a warning in the log, because its call got no response. Fails with a `ScenarioError` if the scenario
 * is invalid.
 *
 * @example
 * ```ts
 * import { NodeFileSystem } from "@effect/platform-node"
 * import { Layer } from "effect"
 * import { MeteringSandbox } from "effect-marketplace-metering/sandbox"
 *
 * const SandboxLive = Layer.provide(
 *   MeteringSandbox.layerFile("sandbox.state", { region: "eu-west-1" }),
 *   NodeFileSystem.layer
 * )
 * ```
 *
 * @since 0.1.0
 * @category layers
 */
export const layerFile = (
  file: string,
  options: Options = {}
): Layer.Layer<
  MeteringClient | EntitlementClient | MeteringSandbox,
  SandboxError | Scenario.ScenarioError | PlatformError,
  FileSystem.FileSystem
> =>
  Layer.scopedContext(
    Effect.gen(function* () {
      const { skipRules = [], ...scenarioOptions } = options
      const scenario = yield* Scenario.make(scenarioOptions)
      const now = yield* Clock.currentTimeMillis
      const { state, write } = yield* stateFile.open(file, initial(scenario, now))
      return yield* make(state, skipRules, write)
    })
  )

const make = (state: State, skipRules: ReadonlyArray<Rule>, write?: PersistState) =>
  Effect.map(makeRuntime(state, write), (runtime) => {
    const transport = makeTransport(runtime)
    const clientOptions = { skipRules }
    const client = makeClient(transport, clientOptions)
    return Context.make(MeteringClient, client).pipe(
      Context.add(EntitlementClient, makeEntitlementClient(transport, clientOptions)),
      Context.add(MeteringSandbox, serviceOf(runtime)),
      // the layer's type omits this service, because only the sandbox's own server uses it
      Context.merge(Context.make(RunningSandbox, { ...runtime, client }) as Context.Context<never>)
    )
  })

const serviceOf = (runtime: SandboxRuntime): Service => {
  const inspect = <A>(select: (state: State) => A) => Effect.map(runtime.state, select)
  const update = <A>(
    step: (state: State, now: number) => Either.Either<readonly [A, State], string>
  ): Effect.Effect<A, SandboxError> =>
    toSandboxError(
      Effect.flatten(
        runtime.modify((state, clock) =>
          Either.match(step(state, clock + state.offset), {
            onLeft: (reason): readonly [Either.Either<A, string>, State] => [
              Either.left(reason),
              state
            ],
            onRight: ([value, next]) => [Either.right(value), next]
          })
        )
      )
    )
  const inspectNow = <A>(select: (state: State, now: number) => A) =>
    runtime.modify((state, clock) => [select(state, clock + state.offset), state])
  const operation =
    <Input>(step: (state: State, input: Input, now: number) => AgreementUpdate) =>
    (input: Input) =>
      update((state, now) => step(state, input, now))
  const setClock = (timeOf: (now: number) => number) =>
    update((state, now) => {
      const time = timeOf(now)
      if (!(time >= minTime && time <= maxTime)) return Either.left(timeOutOfRange)
      const offset = state.offset + time - now
      const moved = change(state, { _tag: "Calendar", offset })
      // schedules again the starts and ends of agreements that are now in the future
      const next = time < now ? change(moved, scheduleChange(moved, time)) : moved
      return Either.right([DateTime.unsafeMake(time), next] as const)
    })
  return {
    marketplace: {
      mintToken: (selector = {}) =>
        Effect.map(
          update((state, now) => marketplace.mintToken(state, selector, now)),
          ({ token }) => Redacted.make(token)
        ),
      addCustomer: (customer) =>
        update((state, now) => marketplace.addCustomer(state, customer, now)),
      subscribe: (subscription) =>
        update((state, now) => marketplace.subscribe(state, subscription, now)),
      cancel: (selector) => update((state, now) => marketplace.cancel(state, selector, now)),
      suspend: (selector) => update((state) => marketplace.suspend(state, selector, true)),
      resume: (selector) => update((state) => marketplace.suspend(state, selector, false)),
      customers: inspect(report.customers),
      products: inspect(({ origin }) => origin.scenario.products.map(productDetailsOf)),
      agreements: inspectNow(agreementOperations.agreements),
      buy: (purchase) => update((state, now) => buy(state, purchase, now)),
      setUpAccount: (selector = {}) => update((state, now) => setUpAccount(state, selector, now)),
      amend: operation(agreementOperations.amend),
      renew: operation(agreementOperations.renew),
      replace: operation(agreementOperations.replace),
      expire: operation(agreementOperations.expire),
      terminate: operation(agreementOperations.terminate),
      issueAdvisory: operation(agreementOperations.issueAdvisory),
      resolveAdvisory: operation(agreementOperations.resolveAdvisory),
      failPayment: operation(agreementOperations.failPayment)
    },
    report: {
      billed: Effect.flatMap(runtime.state, report.billed),
      records: Effect.flatMap(runtime.state, report.records),
      billedPage: (options = {}) =>
        toSandboxError(Effect.flatMap(runtime.state, (state) => report.billedPage(state, options))),
      recordsPage: (options = {}) =>
        toSandboxError(
          Effect.flatMap(runtime.state, (state) => report.recordsPage(state, options))
        ),
      callCounts: inspect(({ callCounts }) => callCounts),
      log: inspect(report.log),
      publicKey: Effect.map(runtime.keyPair, (pair) => pair.publicKey)
    },
    events: {
      stream: Stream.unwrapScoped(
        Effect.gen(function* () {
          const events = yield* PubSub.subscribe(runtime.events)
          yield* Effect.forkScoped(runScheduledSteps(runtime))
          return Stream.fromQueue(events)
        })
      ),
      list: (options = {}) =>
        toSandboxError(Effect.flatten(inspectNow((state) => outboxReport.list(state, options)))),
      scheduled: (options = {}) =>
        toSandboxError(
          Effect.flatten(inspectNow((state) => outboxReport.scheduled(state, options)))
        ),
      resend: (resend) => update((state) => outboxReport.resend(state, resend)),
      targets: inspectNow(outboxReport.targets),
      subscribe: (selector) => update((state) => outboxReport.subscribe(state, selector)),
      deliveryFaults: inspect(({ outbox }) => outbox.faults),
      setDeliveryFaults: (faults) =>
        runtime.modify((state) => [
          undefined,
          change(state, { _tag: "Outbox", change: { _tag: "DeliveryFaults", faults } })
        ])
    },
    control: {
      now: runtime.modify((state, clock) => [DateTime.unsafeMake(clock + state.offset), state]),
      setTime: (now) => Effect.asVoid(setClock(() => now.epochMillis)),
      advance: (by) => setClock((now) => now + Duration.toMillis(by)),
      faults: inspect(({ faults: { chances, script } }) => ({ script, chances })),
      setFaults: (faults) =>
        runtime.modify((state) => [
          undefined,
          change(state, { _tag: "Faults", faults: faultScript.start(faults) })
        ]),
      reset: runtime.modify((state, clock) => {
        const fresh = change(state, { _tag: "Reset" })
        // stores the offset, because a later start from the state file must not reset the clock
        const kept = change(fresh, { _tag: "Calendar", offset: fresh.offset })
        return [undefined, change(kept, scheduleChange(kept, clock + kept.offset))]
      }),
      save: toSandboxError(Effect.flatMap(runtime.state, stateText.save)),
      load: (saved) =>
        Effect.gen(function* () {
          const loaded = yield* toSandboxError(stateText.replay(yield* runtime.state, saved))
          const { privateKey } = loaded
          if (privateKey !== undefined) {
            yield* toSandboxError(
              Effect.tryPromise({
                try: () => signingKey.fromPrivateKey(privateKey),
                catch: () => "its private key is not an RSA key, PKCS #8 in PEM"
              })
            )
          }
          yield* runtime.modify((state, clock) => [
            undefined,
            {
              ...reconcile(loaded, clock + loaded.offset),
              privateKey: privateKey ?? state.privateKey,
              isReplaced: true
            }
          ])
        })
    }
  }
}

const toSandboxError = <A>(effect: Effect.Effect<A, string>): Effect.Effect<A, SandboxError> =>
  Effect.mapError(effect, (reason) => new SandboxError({ reason }))

/** The limits of the clock, because other years have no common ISO 8601 form. */
const minTime = Date.parse("0000-01-01T00:00:00.000Z")
const maxTime = Date.parse("9999-12-31T23:59:59.999Z")
const timeOutOfRange = "The time is out of range: use one in the years from 0 to 9999."
