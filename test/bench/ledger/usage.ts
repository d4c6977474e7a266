/** A ledger with customers, and events for it. */
import { randomBytes, randomUUID } from "node:crypto"
import * as Context from "effect/Context"
import * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Layer from "effect/Layer"
import {
  type LedgerError,
  UsageLedger,
  type UsageLedgerStore
} from "effect-marketplace-metering/ledger"

export const region = "us-east-1"
const product = "product"
export const productCode = "product-code"

export const dimensionOf = (index: number): string => `dimension-${index}`
export const subscriptionOf = (index: number): string => `agmt-${index}`

export interface LedgerOptions {
  readonly customers: number
  /** False if the store has their subscriptions. Defaults to true. */
  readonly subscribes?: boolean
  /** Dimensions of the product. Defaults to 1. */
  readonly dimensions?: number
}

/** Opens a ledger with customers that have one subscription each. */
export const openLedger = <E>(
  store: Layer.Layer<UsageLedgerStore.UsageLedgerStore, E>,
  options: LedgerOptions
) =>
  Effect.gen(function* () {
    const { customers, dimensions = 1, subscribes = true } = options
    const context = yield* Layer.build(
      Layer.provideMerge(
        UsageLedger.layer({
          seller: "111122223333",
          target: "service",
          products: {
            [product]: {
              region,
              productCode,
              dimensions: Object.fromEntries(
                Array.from({ length: dimensions }, (_, i) => [dimensionOf(i), {}])
              )
            }
          }
        }),
        store
      )
    )
    const ledger = Context.get(context, UsageLedger.UsageLedger)
    if (!subscribes) return { context, ledger }
    const from = DateTime.subtract(yield* DateTime.now, { hours: 5 })
    for (let i = 0; i < customers; i += 1) {
      yield* ledger.subscribe({
        id: subscriptionOf(i),
        product,
        customerAWSAccountId: String(100_000_000_000 + i),
        from
      })
    }
    return { context, ledger }
  })

export type Ids = "ordered" | "random"

let lastTime = 0
let counter = 0

/** A UUIDv7: ids grow within this process. */
const makeOrderedId = (): string => {
  const now = Date.now()
  if (now > lastTime) {
    lastTime = now
    counter = 0
  } else if (counter === 0xfff) {
    lastTime += 1
    counter = 0
  } else counter += 1
  const time = lastTime.toString(16).padStart(12, "0")
  return `${time.slice(0, 8)}-${time.slice(8)}-7${counter.toString(16).padStart(3, "0")}-8${nextRandom(3)}-${nextRandom(12)}`
}

let random = ""
/** Random digits, from bytes that are made in advance. */
const nextRandom = (digits: number): string => {
  if (random.length < digits) random = randomBytes(8_192).toString("hex")
  const taken = random.slice(0, digits)
  random = random.slice(digits)
  return taken
}

export const makeId = (ids: Ids): string => (ids === "ordered" ? makeOrderedId() : randomUUID())

let made = 0

export const makeEvent = (ids: Ids, customers: number): UsageLedger.Event => {
  made += 1
  return {
    id: makeId(ids),
    subscription: subscriptionOf(made % customers),
    dimension: "dimension-0",
    quantity: 1
  }
}

/** Records one event. Returns the number of events. */
export const recordOne = (
  ledger: UsageLedger.Service,
  customers: number
): Effect.Effect<number, LedgerError.LedgerUnavailable | UsageLedger.EventError> =>
  Effect.suspend(() => Effect.as(ledger.record(makeEvent("ordered", customers)), 1))

/** Records a batch. Returns its size, and dies if one of the events was not recorded. */
export const recordMany = (
  ledger: UsageLedger.Service,
  options: { readonly size: number; readonly ids: Ids; readonly customers: number }
): Effect.Effect<number, LedgerError.LedgerUnavailable> =>
  Effect.suspend(() => {
    const { customers, ids, size } = options
    const events = Array.from({ length: size }, () => makeEvent(ids, customers))
    return Effect.flatMap(ledger.recordAll(events), (results) => {
      const failed = results.find(Either.isLeft)
      return failed === undefined ? Effect.succeed(size) : Effect.die(failed.left)
    })
  })
