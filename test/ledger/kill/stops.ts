/** Named steps of a store and a client, at which a process can be killed. */
import * as Effect from "effect/Effect"
import type { Tables } from "../../../src/ledger/internal/tables.js"
import type { Service as Store } from "../../../src/ledger/UsageLedgerStore.js"
import type { Service as Client } from "../../../src/MeteringClient.js"

/** The method by which a transaction is known. The first of them names it. */
const methods = {
  putSubscription: "subscribe",
  putLease: "lease",
  sealEntries: "seal",
  addCall: "attempt",
  addResults: "results",
  updateRecords: "update"
} as const

type Transaction = (typeof methods)[keyof typeof methods]

/**
 * - `writing`: in the transaction, before its first write of the kind
 * - `written`: in the transaction, before the commit
 * - `committing`: some milliseconds after the commit has begun, before or after its end
 * - `committed`: after the commit
 * - `before`, `during` and `after`: of recording a batch, or of a call to the service
 */
export type Step =
  | `${Transaction}:${"writing" | "written" | "committing" | "committed"}`
  | `${"record" | "call"}:${"before" | "during" | "after"}`

export const steps: ReadonlyArray<Step> = [
  ...Object.values(methods).flatMap((name) =>
    (["writing", "written", "committing", "committed"] as const).map((at): Step => `${name}:${at}`)
  ),
  ...(["record", "call"] as const).flatMap((name) =>
    (["before", "during", "after"] as const).map((at): Step => `${name}:${at}`)
  )
]

export interface Stops {
  /** Kills the process here, if it is the step. */
  readonly at: (step: Step) => Effect.Effect<void>
  /** Kills the process soon, if it is the step. */
  readonly soon: (step: Step) => Effect.Effect<void>
}

export const stoppingStore = (store: Store, { at, soon }: Stops): Store => ({
  ...store,
  // the child's clock is ahead of the server's
  clock: undefined,
  transaction: (body) =>
    Effect.suspend(() => {
      let name: Transaction | undefined
      const marked = (tables: Tables): Tables =>
        new Proxy(tables, {
          get: (target, property) => {
            const value = Reflect.get(target, property)
            const kind = methods[property as keyof typeof methods]
            if (kind === undefined || name !== undefined) return value
            return (...args: ReadonlyArray<unknown>) => {
              if (isEmptyList(args[0])) return value.apply(target, args)
              name ??= kind
              return Effect.zipRight(at(`${kind}:writing`), value.apply(target, args))
            }
          }
        })
      return store
        .transaction((tables) =>
          Effect.tap(body(marked(tables)), () =>
            name === undefined
              ? Effect.void
              : Effect.zipRight(at(`${name}:written`), soon(`${name}:committing`))
          )
        )
        .pipe(Effect.tap(() => (name === undefined ? Effect.void : at(`${name}:committed`))))
    }),
  recordEvents: (events, now) =>
    at("record:before").pipe(
      Effect.zipRight(soon("record:during")),
      Effect.zipRight(store.recordEvents(events, now)),
      Effect.tap(at("record:after"))
    )
})

const isEmptyList = (value: unknown) => Array.isArray(value) && value.length === 0

export const stoppingClient = (client: Client, { at, soon }: Stops): Client => ({
  ...client,
  batchMeterUsage: (request) =>
    request.usageRecords.length === 0
      ? client.batchMeterUsage(request)
      : at("call:before").pipe(
          Effect.zipRight(soon("call:during")),
          Effect.zipRight(client.batchMeterUsage(request)),
          Effect.ensuring(at("call:after"))
        )
})
