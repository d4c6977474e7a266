/** Everything that a sandbox remembers, as one immutable value, and the changes that it is made by. */
import * as Duration from "effect/Duration"
import type * as Either from "effect/Either"
import * as HashMap from "effect/HashMap"
import * as HashSet from "effect/HashSet"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import { forEachName } from "../../../internal/operations.js"
import type { OperationName } from "../../../MeteringError.js"
import type { UsageAllocation } from "../../../UsageAllocation.js"
import type { Fault } from "../../Fault.js"
import {
  type AccessKey,
  type Customer,
  defaultServiceBehavior,
  type Quotas,
  type Scenario,
  type ServiceBehavior
} from "../../Scenario.js"
import * as faultScript from "../runtime/faultScript.js"
import type { HttpResponse } from "../server/awsJsonServer.js"
import * as callLog from "./callLog.js"
import { type Catalog, catalogOf, withCustomer } from "./catalog.js"

/** A quantity that was accepted, and is billed. Times are epoch milliseconds. */
export interface MeteredUsage {
  readonly meteringRecordId: string
  readonly operation: OperationName
  readonly productCode: string
  readonly licenseArn?: string | undefined
  readonly customerAWSAccountId: string
  readonly dimension: string
  readonly hour: number
  readonly timestamp: number
  readonly quantity: number
  readonly usageAllocations?: ReadonlyArray<UsageAllocation> | undefined
  /** The allocations as text that is the same for the same allocations in any order. */
  readonly split: string
}

/** A registration token, and all that resolving it will ever say. */
export interface Token {
  readonly mintedAt: number
  readonly customerAWSAccountId: string
  readonly customerIdentifier?: string | undefined
  readonly productCode: string
  readonly licenseArn?: string | undefined
}

/** What a client token was used for. */
export interface IdempotencyRecord {
  readonly request: string
  readonly meteringRecordId: string
}

/** What is left of a quota, and when that was counted. */
export interface Bucket {
  readonly left: number
  readonly at: number
}

/** Who calls, as far as the front door has found out. */
export interface CallerIdentity {
  /** `inMemory`: nothing was signed. `unchecked`: nobody has looked at it. */
  readonly signature: "inMemory" | "verified" | "unchecked" | "refused"
  readonly accessKeyId?: string | undefined
  readonly accessKey?: AccessKey | undefined
  /** How much was sent. */
  readonly bytes?: number | undefined
}

/** A call as it came and as it was answered. */
export interface LoggedCall {
  readonly requestId: string
  /** Epoch milliseconds by the sandbox's calendar. */
  readonly at: number
  readonly operation: OperationName | undefined
  readonly callerIdentity: CallerIdentity
  readonly fault: Fault["fault"]
  /** None, where its body could not be read. */
  readonly request: object | undefined
  /** Nothing, where the connection was cut before the service had looked at it. */
  readonly response: ServiceResult | undefined
}

/** Claims of a JWT. */
export type Claims = Readonly<Record<string, string | number>>

/** Members of a response, and the claims that have yet to be signed to be one of them. */
export interface SuccessResult {
  readonly fields: object
  readonly claims?: Claims
}

export type ServiceResult = Either.Either<SuccessResult, HttpResponse>

/** The estimated memory of usage, tokens and registrations from which on no more is taken, in bytes. */
export const defaultCapacity = 1024 * 1024 * 1024

/** What every rule is, with durations in milliseconds. */
export type ResolvedBehavior = {
  readonly [K in keyof typeof defaultServiceBehavior]: (typeof defaultServiceBehavior)[K] extends Duration.Duration
    ? number
    : Exclude<ServiceBehavior[K], undefined>
}

/** What is undefined is left to the default. */
const definedOnly = (behavior: ServiceBehavior) =>
  Object.fromEntries(
    Object.entries(behavior).filter(([, value]) => value !== undefined)
    // only those are left out that the type has undefined for
  ) as { readonly [K in keyof ServiceBehavior]: Exclude<ServiceBehavior[K], undefined> }

const resolveBehavior = (behavior: ServiceBehavior): ResolvedBehavior => {
  const { futureTolerance, registrationTokenLifetime } = {
    ...defaultServiceBehavior,
    ...definedOnly(behavior)
  }
  return {
    ...defaultServiceBehavior,
    ...definedOnly(behavior),
    registrationTokenLifetime: Duration.toMillis(registrationTokenLifetime),
    futureTolerance: Duration.toMillis(futureTolerance)
  }
}

export interface State {
  readonly catalog: Catalog
  readonly behavior: ResolvedBehavior
  readonly quotas: Quotas
  readonly faults: faultScript.FaultState
  /** How far the calendar is ahead of the clock, in milliseconds. */
  readonly offset: number
  /** What RegisterUsage's answers are signed with, PKCS #8 in PEM, once there has been one. */
  readonly privateKey: string | undefined
  /** By product or licence, customer, dimension and hour. */
  readonly metered: HashMap.HashMap<string, MeteredUsage>
  readonly idempotencyRecords: HashMap.HashMap<string, IdempotencyRecord>
  readonly tokens: HashMap.HashMap<string, Token>
  /** Instances, tasks and pods that may run a product because they have asked once. */
  readonly registered: HashSet.HashSet<string>
  readonly buckets: { readonly [Name in OperationName]?: Bucket }
  /** Everybody who has come to the door. */
  readonly receivedCalls: number
  /** Who has come through to the service. */
  readonly callCounts: Readonly<Record<OperationName, number>>
  readonly log: callLog.CallLog<LoggedCall>
  /** The estimated memory of all entries, in bytes. */
  readonly size: number
  /** Changes since the last write, the newest last. */
  readonly pendingChanges: ReadonlyArray<Change>
  /** True if it took another state's place since the last write. */
  readonly isReplaced: boolean
  /** What it began as. */
  readonly origin: Origin
}

interface Origin {
  readonly scenario: Scenario
  readonly faults: faultScript.FaultState
  readonly offset: number
  readonly capacity: number
}

/** A step from one state to the next that must not be lost. */
export type Change =
  | { readonly _tag: "Metered"; readonly key: string; readonly usage: MeteredUsage }
  | { readonly _tag: "Receipt"; readonly key: string; readonly receipt: IdempotencyRecord }
  | { readonly _tag: "Token"; readonly key: string; readonly token: Token }
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
  | { readonly _tag: "Reset" }

/** The state of a scenario before the first call, at a time of the clock. */
export const initial = (
  scenario: Scenario,
  now: number,
  capacity: number = defaultCapacity
): State =>
  emptyState({
    scenario,
    capacity,
    faults: faultScript.start(scenario.faults ?? {}),
    offset: scenario.now === undefined ? 0 : scenario.now.epochMillis - now
  })

const emptyState = (origin: Origin): State => ({
  catalog: catalogOf(origin.scenario),
  behavior: resolveBehavior(origin.scenario.rules ?? {}),
  quotas: origin.scenario.quotas ?? {},
  faults: origin.faults,
  offset: origin.offset,
  privateKey: undefined,
  metered: HashMap.empty(),
  idempotencyRecords: HashMap.empty(),
  tokens: HashMap.empty(),
  registered: HashSet.empty(),
  buckets: {},
  receivedCalls: 0,
  callCounts: forEachName(() => 0),
  log: callLog.empty,
  size: 0,
  pendingChanges: [],
  isReplaced: false,
  origin
})

/** The state after a change, in which the change is yet to be written down. */
export const change = (state: State, change: Change): State => {
  const next = apply(state, change)
  return { ...next, pendingChanges: [...state.pendingChanges, change] }
}

/** The state after a change. */
export const apply = (state: State, change: Change): State => {
  switch (change._tag) {
    case "Metered":
      return {
        ...state,
        metered: HashMap.set(state.metered, change.key, change.usage),
        // the allocations and their text
        size: state.size + entryOverhead + change.key.length + 4 * change.usage.split.length
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
    case "Reset":
      return { ...emptyState(state.origin), privateKey: state.privateKey }
  }
}

/** The estimated memory of an entry beside its texts, in bytes. */
const entryOverhead = 400

const sizeOfCustomer = ({ agreements }: Customer): number =>
  agreements.reduce(
    (sum, { licenseArn = "" }) => sum + entryOverhead + licenseArn.length,
    entryOverhead
  )

/** Why nothing more can be stored, if so. */
export const capacityError = ({ metered, origin, size }: State): string | undefined =>
  size < origin.capacity
    ? undefined
    : `The sandbox is full: its ${HashMap.size(metered)} metering records and what belongs to them take ${Math.round(size / 1024 ** 2)} MiB, of ${Math.round(origin.capacity / 1024 ** 2)} MiB at most. Reset it (POST /_sandbox/reset), or start another one.`

/** The changes that make this state of what it began as. */
export function* changesOf(state: State): Generator<Change, void> {
  const { catalog } = emptyState(state.origin)
  for (const customer of HashMap.values(state.catalog.customers)) {
    const previous = HashMap.get(catalog.customers, customer.customerAWSAccountId)
    if (customer !== Option.getOrUndefined(previous)) yield { _tag: "Customer", customer }
  }
  for (const [key, usage] of state.metered) yield { _tag: "Metered", key, usage }
  for (const [key, receipt] of state.idempotencyRecords) yield { _tag: "Receipt", key, receipt }
  for (const [key, token] of state.tokens) yield { _tag: "Token", key, token }
  for (const key of state.registered) yield { _tag: "Registered", key }
  if (state.privateKey !== undefined) yield { _tag: "PrivateKey", pem: state.privateKey }
  yield { _tag: "Calendar", offset: state.offset }
  // those of the scenario may be others by the time that this is read
  if (state.faults !== state.origin.faults) yield { _tag: "Faults", faults: state.faults }
  for (const [operation, bucket] of Object.entries(state.buckets)) {
    // the keys of buckets are names of operations
    yield { _tag: "Bucket", operation, bucket } as Change
  }
  yield { _tag: "Counts", arrivals: state.receivedCalls, calls: state.callCounts }
}

/** Remembers a call, and forgets the oldest where there is too much to remember. */
export const logCall = (state: State, call: LoggedCall): State => {
  const { request, callerIdentity } = call
  const bytes = request === undefined ? 0 : (callerIdentity.bytes ?? sizeOf(request))
  return { ...state, log: callLog.append(state.log, call, bytes) }
}

/** What was never sent has no length, but is about as long as its texts and so much for each member. */
const sizeOf = (value: unknown): number =>
  typeof value === "string"
    ? value.length
    : Redacted.isRedacted(value)
      ? sizeOf(Redacted.value(value))
      : typeof value === "object" && value !== null
        ? Object.values(value).reduce(
            (size: number, field) => size + fieldOverhead + sizeOf(field),
            0
          )
        : 0

const fieldOverhead = 16
