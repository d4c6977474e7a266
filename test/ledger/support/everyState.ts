/** A ledger with an entry of every state, one an hour from 00:00 on. */
import * as Effect from "effect/Effect"
import { InvalidUsageDimensionException } from "effect-marketplace-metering/MeteringError"
import { makeReporter, makeSubscribed, minutesLater, passing, setTime } from "./ledgerTest.js"
import { lostResponse, type Reply, stubService } from "./stubService.js"

/** The reply to the usage of each hour of 2026-11-24, and the state that it comes to after the deadline. */
export const stateOfHour = [
  ["accepted", "Success"],
  ["conflicting", "DuplicateRecord"],
  ["notSubscribed", "CustomerNotSubscribed"],
  [
    "rejected",
    new InvalidUsageDimensionException({ operation: "BatchMeterUsage", requestId: "sandbox-1" })
  ],
  ["expired", "unprocessed"],
  ["inDoubt", lostResponse]
] as const satisfies ReadonlyArray<readonly [string, Reply]>

/**
 * A ledger at 2026-11-25T06:30:00Z, after the deadlines of the hours 00 to 05. The hour 06 came to no unit, 07 is sealed, and 10
 * is open.
 */
export const everyState = Effect.gen(function* () {
  const made = yield* makeSubscribed()
  const { ledger, store } = made
  const service = stubService()
  const reporter = yield* makeReporter(store, service, { worker: "worker" })
  for (const [hour, [, reply]] of stateOfHour.entries()) {
    yield* ledger.record({
      ...{ id: `${hour}`, subscription: "a", dimension: "calls", quantity: hour + 1 },
      at: minutesLater((hour - 10) * 60)
    })
    service.reply = () => reply
    // one at a time: an error concerns the whole call
    yield* passing(reporter.report)
    // the contradiction has stopped the Region
    if (reply === "DuplicateRecord") {
      yield* ledger.operator.recover
      // as if before all hours: after a recovery nothing is certainly expired
      yield* store.transaction((tables) =>
        Effect.flatMap(tables.ledger, (row) =>
          row === undefined ? Effect.void : tables.putLedger({ ...row, recoveredAt: 0 })
        )
      )
    }
  }
  service.reply = () => "unprocessed"
  yield* ledger.record({
    ...{ id: "6", subscription: "a", dimension: "gb", quantity: "0.25" },
    at: minutesLater(-4 * 60)
  })
  yield* ledger.record({
    ...{ id: "7", subscription: "s", dimension: "queries", quantity: 8 },
    at: minutesLater(-3 * 60)
  })
  yield* passing(reporter.report)
  yield* setTime("2026-11-25T06:30:00Z")
  yield* passing(reporter.report)
  yield* ledger.record({
    ...{ id: "10", subscription: "s", dimension: "queries", quantity: 1 },
    at: minutesLater(20 * 60)
  })
  return { ...made, reporter, service }
})
