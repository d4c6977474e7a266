/** The password of a URL stays out of all that a ledger says while it works and fails. */
import { inspect } from "node:util"
import { assert, it } from "@effect/vitest"
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Exit from "effect/Exit"
import * as Logger from "effect/Logger"
import * as LogLevel from "effect/LogLevel"
import { PgLedgerStore, type UsageLedger } from "effect-marketplace-metering/ledger"
import { captureSpans } from "../support/captureSpans.js"
import { makePostgres, password } from "../support/postgres.js"
import {
  entriesOf,
  makeReporter,
  makeSubscribed,
  minutesLater,
  passing,
  setTime
} from "./support/ledgerTest.js"
import { stubService } from "./support/stubService.js"

const calls = { subscription: "a", dimension: "calls", quantity: 1, at: minutesLater(-60) }

/** Everything that is said about values. */
const collectTexts = () => {
  const texts: Array<string> = []
  const see = (...values: ReadonlyArray<unknown>) => {
    for (const value of values) {
      texts.push(inspect(value, { depth: 20 }), String(value))
      if (value instanceof Error) {
        texts.push(JSON.stringify(value), JSON.stringify({ ...value }), value.stack ?? "")
      }
    }
  }
  const logger = Logger.make(({ annotations, cause, message, spans }) =>
    see(message, annotations, spans, cause, Cause.pretty(cause, { renderErrorCause: true }))
  )
  return { logger, see, texts }
}

it.scoped("the password of a URL reaches no error, log or span", () =>
  Effect.gen(function* () {
    const server = yield* makePostgres()
    const url = yield* server.createDatabase
    const { logger, see, texts } = collectTexts()
    const tracing = captureSpans()

    /** Fails each way of using the ledger, and shows how. */
    const fail = (ledger: UsageLedger.Service, report: Effect.Effect<unknown, unknown>) =>
      Effect.gen(function* () {
        const uses: ReadonlyArray<Effect.Effect<unknown, unknown>> = [
          ledger.record(calls),
          ledger.recordAll([calls]),
          ledger.subscribe({ id: "b", product: "search", customerIdentifier: "b" }),
          ledger.close("none"),
          ledger.adjust({ event: "1", quantity: 2, reason: "r" }),
          ledger.advance({ source: "s", partition: "0", to: "1", sums: [] }),
          entriesOf(ledger),
          ledger.status,
          ledger.health,
          ledger.operator.recover,
          report
        ]
        for (const [index, use] of uses.entries()) {
          const exit = yield* Effect.exit(
            passing(use).pipe(
              Effect.tapErrorCause((cause) => Effect.logError("failed", cause)),
              Effect.withSpan(`use ${index}`)
            )
          )
          if (Exit.isSuccess(exit)) return assert.fail(`use ${index} succeeds`)
          see(exit.cause, Cause.squash(exit.cause), JSON.stringify(exit))
          assert.strictEqual(Cause.defects(exit.cause).length, 0, Cause.pretty(exit.cause))
        }
      })

    yield* Effect.gen(function* () {
      const store = yield* PgLedgerStore.make({ url })
      const { ledger } = yield* makeSubscribed({}, store)
      // the time of the test is not that of the server
      const reporter = yield* makeReporter({ ...store, clock: undefined }, stubService())
      yield* ledger.record({ ...calls, id: "1" })
      yield* setTime("2026-11-24T10:10:00Z")
      yield* passing(reporter.report)
      see(store, ledger, reporter, yield* ledger.status, yield* ledger.health)
      // the password is changed, and connections end
      yield* server.sql(
        url,
        "ALTER ROLE postgres PASSWORD 'other'; SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid() AND datname = current_database()"
      )
      yield* fail(ledger, reporter.report)
      yield* server.stop("immediate")
      yield* fail(ledger, reporter.report)
      const opened = yield* Effect.either(Effect.scoped(PgLedgerStore.make({ url })))
      if (Either.isRight(opened)) return assert.fail("it opens")
      see(opened.left)
    }).pipe(
      Effect.withSpan("app"),
      tracing.trace,
      Effect.provide(Logger.replace(Logger.defaultLogger, logger)),
      Logger.withMinimumLogLevel(LogLevel.All)
    )

    for (const { attributes, events, name, status } of tracing.spans) {
      see(name, attributes, events, status)
    }
    assert.isAbove(tracing.spans.length, 10)
    assert.isAbove(texts.length, 100)
    for (const text of texts) {
      for (const secret of [password, encodeURIComponent(password), password.slice(0, 12)]) {
        if (text.includes(secret)) assert.fail(`the password is in ${text.slice(0, 2_000)}`)
      }
    }
  })
)
