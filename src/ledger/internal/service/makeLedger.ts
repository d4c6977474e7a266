/** Makes the service of a ledger on a store. */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import { LedgerConfigError, type LedgerUnavailable } from "../../LedgerError.js"
import type { Service as Store } from "../../UsageLedgerStore.js"
import type { EntryFilter, Options, Service } from "../contract.js"
import { makeUuid7 } from "../model/uuid.js"
import * as catalogs from "../recording/catalog.js"
import { isText } from "../recording/prepareEvent.js"
import { millisOf } from "../recording/request.js"
import type * as tables from "../tables.js"
import { adjust } from "../transactions/adjust.js"
import { advance } from "../transactions/advance.js"
import { initialize } from "../transactions/initialize.js"
import { checkClock } from "../transactions/lease.js"
import { carryForward, retryNow } from "../transactions/operate.js"
import { recover } from "../transactions/pause.js"
import { close, subscribe } from "../transactions/subscribe.js"
import { entries, resolveFilter } from "./entries.js"
import { health } from "./health.js"
import * as recorders from "./recorder.js"
import { statement } from "./statement.js"
import { hourly, status } from "./status.js"
import { verify } from "./verify.js"

const defaultIntakeSize = 10_000

export const makeLedger = (
  store: Store,
  options: Options
): Effect.Effect<Service, LedgerConfigError | LedgerUnavailable, Scope.Scope> =>
  Effect.gen(function* () {
    const error = violation(options)
    if (error !== undefined) return yield* error
    const makeId = makeUuid7()
    yield* initialize(store, options, yield* makeId)
    const catalog = catalogs.make(store)
    const recorder = yield* recorders.make(store, catalog, options.intakeSize ?? defaultIntakeSize)
    /** Clears the catalog's cache after a change of subscriptions, so that the next event uses the new ones. */
    const changing = <A, E>(effect: Effect.Effect<A, E>) =>
      Effect.ensuring(effect, Effect.sync(catalog.clear))
    /** Returns the time. Fails if the clock of the store's server differs. */
    const checkedTime = Effect.zipRight(checkClock(store), Clock.currentTimeMillis)
    const onEntries = (
      filter: EntryFilter,
      act: (filter: tables.EntryFilter, now: number) => Effect.Effect<number, LedgerUnavailable>
    ) =>
      Effect.flatMap(resolveFilter(store, filter), (resolved) =>
        resolved === undefined
          ? Effect.succeed(0)
          : Effect.flatMap(checkedTime, (now) => act(resolved, now))
      )
    return {
      ...recorder,
      advance: (update) =>
        Effect.flatMap(Clock.currentTimeMillis, (now) => advance(store, update, now)),
      adjust: (correction) =>
        Effect.flatMap(Clock.currentTimeMillis, (now) => adjust(store, correction, now)),
      subscribe: (subscription) =>
        Effect.flatMap(Clock.currentTimeMillis, (now) =>
          changing(subscribe(store, subscription, now))
        ),
      close: (subscription, { at } = {}) =>
        Effect.flatMap(Clock.currentTimeMillis, (now) =>
          changing(close(store, subscription, millisOf(at) ?? now, now))
        ),
      entries: (filter) => entries(store, filter),
      statement: (of) => statement(store, of),
      status: status(store),
      hourly: (from) => hourly(store, millisOf(from) ?? 0),
      health: health(store),
      verify: verify(store),
      operator: {
        retry: (filter = {}) =>
          onEntries(filter, (resolved, now) => retryNow(store, resolved, now)),
        carryForward: (filter) =>
          onEntries(filter, (resolved, now) => carryForward(store, resolved, now)),
        recover: Effect.flatMap(checkedTime, (now) =>
          Effect.flatMap(makeId, (incarnation) => recover(store, { incarnation, now }))
        )
      }
    }
  })

const violation = ({ intakeSize, seller, target }: Options): LedgerConfigError | undefined => {
  const invalid = (detail: string, cure: string) =>
    new LedgerConfigError({ reason: "invalidOptions", detail, cure })
  if (!isText(seller)) {
    return invalid(
      "The seller has no valid name",
      "Give seller 1 to 255 characters, without NUL and halves of surrogate pairs."
    )
  }
  if (target !== "service" && target !== "sandbox") {
    return invalid(`The target ${target} is unknown`, "Give service or sandbox.")
  }
  return intakeSize === undefined || (Number.isSafeInteger(intakeSize) && intakeSize > 0)
    ? undefined
    : invalid(`An intakeSize of ${intakeSize} is impossible`, "Give a whole number from 1.")
}
