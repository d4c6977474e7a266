/** Everything that a sandbox remembers, as one immutable value. */
import * as Either from "effect/Either"
import * as HashMap from "effect/HashMap"
import type { Refusal } from "../../internal/awsJsonServer.js"
import type { OperationName } from "../../MeteringError.js"
import type { UsageAllocation } from "../../UsageAllocation.js"
import type { World } from "./world.js"

/** A quantity that was accepted, and is billed. Times are epoch milliseconds. */
export interface Metered {
  readonly meteringRecordId: string
  readonly operation: OperationName
  readonly productCode: string
  readonly licenseArn: string | undefined
  readonly customerAWSAccountId: string
  readonly dimension: string
  readonly hour: number
  readonly timestamp: number
  readonly quantity: number
  readonly usageAllocations: ReadonlyArray<UsageAllocation> | undefined
  /** The allocations as text that is the same for the same allocations in any order. */
  readonly split: string
}

/** A registration token, and all that resolving it will ever say. */
export interface Token {
  readonly mintedAt: number
  readonly customerAWSAccountId: string
  readonly customerIdentifier: string | undefined
  readonly productCode: string
  readonly licenseArn: string | undefined
}

/** What a client token was used for. */
export interface Receipt {
  readonly request: string
  readonly meteringRecordId: string
}

/** The points in which the service is not documented, or sources differ. Durations in milliseconds. */
export interface Rules {
  readonly tokenLifetime: number
}

export interface State {
  readonly world: World
  readonly rules: Rules
  /** By product or licence, customer, dimension and hour. */
  readonly metered: HashMap.HashMap<string, Metered>
  readonly receipts: HashMap.HashMap<string, Receipt>
  readonly tokens: HashMap.HashMap<string, Token>
  readonly calls: Readonly<Record<OperationName, number>>
}

export const initial = (world: World, rules: Rules): State => ({
  world,
  rules,
  metered: HashMap.empty(),
  receipts: HashMap.empty(),
  tokens: HashMap.empty(),
  calls: { MeterUsage: 0, BatchMeterUsage: 0, RegisterUsage: 0, ResolveCustomer: 0 }
})

/** Claims of a JWT. */
export type Claims = Readonly<Record<string, string | number>>

/** Members of a response, and the claims that have yet to be signed to be one of them. */
export interface Granted {
  readonly members: object
  readonly claims?: Claims
}

export type Answer = Either.Either<Granted, Refusal>

/** One operation: the state after the call and the answer to it, given the state before it and the time. */
export type Handler<Request> = (
  state: State,
  request: Request,
  now: number
) => readonly [State, Answer]

export const grant = (members: object, claims?: Claims): Answer =>
  Either.right({ members, ...(claims && { claims }) })

export const refuse = (refusal: Refusal): Answer => Either.left(refusal)
