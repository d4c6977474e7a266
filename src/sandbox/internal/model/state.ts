/** The state of a sandbox as one immutable value, and the changes of it. */
import * as Chunk from "effect/Chunk"
import * as Duration from "effect/Duration"
import * as HashMap from "effect/HashMap"
import * as HashSet from "effect/HashSet"
import * as Option from "effect/Option"
import type { MarketplaceEvent } from "../../../lifecycle/MarketplaceEvent.js"
import type { OperationName } from "../../../MeteringError.js"
import {
  type Customer,
  defaultServiceBehavior,
  type Quotas,
  type Scenario,
  type ServiceBehavior
} from "../../Scenario.js"
import * as callLog from "./callLog.js"
import { type Catalog, catalogOf, withCustomer } from "./catalog.js"
import * as faultScript from "./faultScript.js"
import { type Announced, reschedule } from "./milestones.js"
import { forEachName } from "./operations.js"
import * as outbox from "./outbox.js"
import type { MeteredUsage } from "./usageStore.js"
import * as usageStore from "./usageStore.js"

export type { MeteredUsage } from "./usageStore.js"

/** A registration token, with the fields of the ResolveCustomer response. */
export interface IssuedToken {
  readonly mintedAt: number
  readonly customerAWSAccountId: string
  readonly customerIdentifier?: string | undefined
  readonly productCode: string
  readonly licenseArn?: string | undefined
  /** Not in the response. */
  readonly agreementId?: string | undefined
}

/** The MeterUsage request in which a client token was used, and its result. */
export interface IdempotencyRecord {
  readonly request: string
  readonly meteringRecordId: string
}

/** A token bucket: the calls left at a time of the machine's clock, in epoch milliseconds. */
export interface Bucket {
  readonly left: number
  readonly at: number
}

/** Default of the memory for usage, tokens and registrations, in bytes. Once the estimated memory reaches it, calls are rejected. */
const defaultCapacity = 1024 * 1024 * 1024

/** The behavior with defaults applied. Durations are in milliseconds. */
export type ResolvedBehavior = {
  readonly [K in keyof typeof defaultServiceBehavior]: (typeof defaultServiceBehavior)[K] extends Duration.Duration
    ? number
    : Exclude<ServiceBehavior[K], undefined>
}

const resolveBehavior = (behavior: ServiceBehavior): ResolvedBehavior => {
  const resolved = { ...defaultServiceBehavior, ...withoutUndefined(behavior) }
  return {
    ...resolved,
    registrationTokenLifetime: Duration.toMillis(resolved.registrationTokenLifetime),
    futureTolerance: Duration.toMillis(resolved.futureTolerance),
    licenseEventDelay: Duration.toMillis(resolved.licenseEventDelay),
    deprovisionedEventDelay: Duration.toMillis(resolved.deprovisionedEventDelay)
  }
}

const withoutUndefined = (behavior: ServiceBehavior) =>
  Object.fromEntries(
    Object.entries(behavior).filter(([, value]) => value !== undefined)
    // the cast is safe, because only undefined is removed
  ) as { readonly [K in keyof ServiceBehavior]: Exclude<ServiceBehavior[K], undefined> }

export interface State {
  readonly catalog: Catalog
  readonly behavior: ResolvedBehavior
  readonly quotas: Quotas
  readonly faults: faultScript.FaultState
  /** Milliseconds that the sandbox's clock is ahead of the machine's clock. */
  readonly offset: number
  /** The key that signs responses of RegisterUsage and SNS messages, as PKCS #8 in PEM. Generated on first use. */
  readonly privateKey: string | undefined
  /** The accepted usage. Its ids depend on product or license, customer, dimension and hour. */
  readonly metered: usageStore.UsageStore
  readonly idempotencyRecords: HashMap.HashMap<string, IdempotencyRecord>
  readonly tokens: HashMap.HashMap<string, IssuedToken>
  /** Ids of the agreements whose registration token was resolved. */
  readonly landed: HashSet.HashSet<string>
  /** The starts, notices and ends of agreements whose events were sent. */
  readonly announced: Announced
  /** The keys of product, account and instance (or task or pod) that RegisterUsage has accepted. */
  readonly registered: HashSet.HashSet<string>
  readonly buckets: { readonly [Name in OperationName]?: Bucket }
  /** Number of all calls, including rejected calls. */
  readonly receivedCalls: number
  /** Number of processed calls. Calls that were rejected before they were processed do not count. */
  readonly callCounts: Readonly<Record<OperationName, number>>
  readonly log: callLog.CallLog
  readonly outbox: outbox.Outbox
  /** Estimated memory of all entries, in bytes. */
  readonly size: number
  /** Sent events that are not yet published to subscribers in memory. */
  readonly unpublished: Chunk.Chunk<MarketplaceEvent>
  /** Changes since the last write to the state file, the newest last. */
  readonly pendingChanges: Chunk.Chunk<Change>
  /** True if the whole state was replaced since the last write to the state file. */
  readonly isReplaced: boolean
  readonly origin: Origin
}

/** The initial values, to which `Reset` returns. */
interface Origin {
  readonly scenario: Scenario
  readonly faults: faultScript.FaultState
  readonly offset: number
  readonly capacity: number
  readonly outbox: outbox.Outbox
}

/** A change that is written to the state file. */
export type Change =
  | { readonly _tag: "Metered"; readonly usage: MeteredUsage }
  | { readonly _tag: "Receipt"; readonly key: string; readonly receipt: IdempotencyRecord }
  | { readonly _tag: "Token"; readonly key: string; readonly token: IssuedToken }
  | { readonly _tag: "Landed"; readonly agreementId: string }
  | { readonly _tag: "Announced"; readonly key: string }
  | { readonly _tag: "Registered"; readonly key: string }
  | { readonly _tag: "Customer"; readonly customer: Customer }
  | { readonly _tag: "Calendar"; readonly offset: number }
  | { readonly _tag: "PrivateKey"; readonly pem: string }
  | { readonly _tag: "Faults"; readonly faults: faultScript.FaultState }
  | { readonly _tag: "Bucket"; readonly operation: OperationName; readonly bucket: Bucket }
  | {
      readonly _tag: "Counts"
      readonly arrivals: number
      readonly calls: Readonly<Record<OperationName, number>>
    }
  | { readonly _tag: "Outbox"; readonly change: outbox.OutboxChange }
  | { readonly _tag: "Reset" }

/** Makes the state before the first call. `now` is the time of the machine's clock in epoch milliseconds. */
export const initial = (
  scenario: Scenario,
  now: number,
  capacity: number = defaultCapacity
): State => {
  const state = emptyState({
    scenario,
    capacity,
    faults: faultScript.start(scenario.faults ?? {}),
    offset: scenario.now === undefined ? 0 : scenario.now.epochMillis - now,
    outbox: outbox.make(scenario.deliveryFaults ?? {})
  })
  return apply(state, scheduleChange(state, now + state.offset))
}

/** Makes the change that schedules the milestones of all current agreements. `now` is the time of the sandbox's clock. */
export const scheduleChange = (state: State, now: number): Change => ({
  _tag: "Outbox",
  change: { _tag: "Schedule", due: reschedule({ ...state, ...state.outbox }, now) }
})

const emptyState = (origin: Origin): State => ({
  catalog: catalogOf(origin.scenario),
  behavior: resolveBehavior(origin.scenario.rules ?? {}),
  quotas: origin.scenario.quotas ?? {},
  faults: origin.faults,
  offset: origin.offset,
  privateKey: undefined,
  metered: usageStore.empty(),
  idempotencyRecords: HashMap.empty(),
  tokens: HashMap.empty(),
  landed: HashSet.empty(),
  announced: HashSet.empty(),
  registered: HashSet.empty(),
  buckets: {},
  receivedCalls: 0,
  callCounts: forEachName(() => 0),
  log: callLog.empty,
  outbox: origin.outbox,
  unpublished: Chunk.empty(),
  size: 0,
  pendingChanges: Chunk.empty(),
  isReplaced: false,
  origin
})

/** Applies a change, and adds it to `pendingChanges`. */
export const change = (state: State, change: Change): State => {
  const next = apply(state, change)
  return { ...next, pendingChanges: Chunk.append(state.pendingChanges, change) }
}

export const apply = (state: State, change: Change): State => {
  switch (change._tag) {
    case "Metered":
      return {
        ...state,
        metered: usageStore.add(state.metered, change.usage),
        // the allocations take about three times the memory of `split`
        size: state.size + entryOverhead + 4 * change.usage.split.length
      }
    case "Receipt":
      return {
        ...state,
        idempotencyRecords: HashMap.set(state.idempotencyRecords, change.key, change.receipt),
        size: state.size + entryOverhead + change.key.length + change.receipt.request.length
      }
    case "Token":
      return {
        ...state,
        tokens: HashMap.set(state.tokens, change.key, change.token),
        size: state.size + entryOverhead + change.key.length
      }
    case "Landed":
      return {
        ...state,
        landed: HashSet.add(state.landed, change.agreementId),
        size: state.size + entryOverhead + change.agreementId.length
      }
    case "Announced":
      return {
        ...state,
        announced: HashSet.add(state.announced, change.key),
        size: state.size + entryOverhead + change.key.length
      }
    case "Registered":
      return {
        ...state,
        registered: HashSet.add(state.registered, change.key),
        size: state.size + entryOverhead + change.key.length
      }
    case "Customer": {
      const { customer } = change
      const previous = HashMap.get(state.catalog.customers, customer.customerAWSAccountId)
      return {
        ...state,
        catalog: withCustomer(state.catalog, customer),
        size:
          state.size +
          sizeOfCustomer(customer) -
          Option.match(previous, {
            onNone: () => 0,
            onSome: sizeOfCustomer
          })
      }
    }
    case "Calendar":
      return { ...state, offset: change.offset }
    case "PrivateKey":
      return { ...state, privateKey: change.pem }
    case "Faults":
      return { ...state, faults: change.faults }
    case "Bucket":
      return { ...state, buckets: { ...state.buckets, [change.operation]: change.bucket } }
    case "Counts":
      return { ...state, receivedCalls: change.arrivals, callCounts: change.calls }
    case "Outbox":
      return { ...state, outbox: outbox.apply(state.outbox, change.change) }
    case "Reset":
      return { ...emptyState(state.origin), privateKey: state.privateKey }
  }
}

/** Estimated memory of an entry without its strings, in bytes. */
const entryOverhead = 400

const sizeOfCustomer = ({ agreements }: Customer): number =>
  agreements.reduce(
    (sum, { entitlements = [], licenseArn = "" }) =>
      sum + entryOverhead * (1 + entitlements.length) + licenseArn.length,
    entryOverhead
  )

/** Returns the error message if the state has reached its capacity, or `undefined`. */
export const capacityError = ({ metered, origin, size }: State): string | undefined =>
  size < origin.capacity
    ? undefined
    : `The sandbox is full: its ${metered.size} metering records and what belongs to them take ${toMiB(size)} MiB, of ${toMiB(origin.capacity)} MiB at most. Reset it (POST /_sandbox/reset), or start another one.`

const toMiB = (bytes: number): number => Math.round(bytes / 1024 ** 2)

/** Yields the changes that lead from the initial state to this one. */
export function* changesOf(state: State): Generator<Change, void> {
  const { catalog } = emptyState(state.origin)
  for (const customer of HashMap.values(state.catalog.customers)) {
    const previous = HashMap.get(catalog.customers, customer.customerAWSAccountId)
    if (customer !== Option.getOrUndefined(previous)) yield { _tag: "Customer", customer }
  }
  for (const usage of usageStore.values(state.metered)) yield { _tag: "Metered", usage }
  for (const [key, receipt] of state.idempotencyRecords) yield { _tag: "Receipt", key, receipt }
  for (const [key, token] of state.tokens) yield { _tag: "Token", key, token }
  for (const agreementId of state.landed) yield { _tag: "Landed", agreementId }
  for (const key of state.announced) yield { _tag: "Announced", key }
  for (const key of state.registered) yield { _tag: "Registered", key }
  if (state.privateKey !== undefined) yield { _tag: "PrivateKey", pem: state.privateKey }
  yield { _tag: "Calendar", offset: state.offset }
  // includes only changed faults, so that the faults of a changed scenario apply
  if (state.faults !== state.origin.faults) yield { _tag: "Faults", faults: state.faults }
  for (const [operation, bucket] of Object.entries(state.buckets)) {
    // the cast is safe, because the keys of `buckets` are operation names
    yield { _tag: "Bucket", operation, bucket } as Change
  }
  for (const change of outbox.changesOf(state.outbox, state.origin.outbox)) {
    yield { _tag: "Outbox", change }
  }
  yield { _tag: "Counts", arrivals: state.receivedCalls, calls: state.callCounts }
}

export const logCall = (state: State, call: callLog.LoggedCall): State => ({
  ...state,
  log: callLog.append(state.log, call)
})
