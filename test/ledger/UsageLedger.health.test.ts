/** Each reason of `health`, and its absence. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import type { LedgerReport, UsageLedger, UsageReporter } from "effect-marketplace-metering/ledger"
import {
  CredentialsRejectedError,
  InvalidProductCodeException,
  InvalidUsageDimensionException
} from "effect-marketplace-metering/MeteringError"
import {
  makeReporter,
  makeSubscribed,
  minutesLater,
  passing,
  setTime
} from "./support/ledgerTest.js"
import { lostResponse, type Reply, stubService } from "./support/stubService.js"

const operation = "BatchMeterUsage"

/** A ledger at 10:00 with usage of hour 9, and a reporter to a service with a reply. */
const prepare = (
  reply: Reply = "Success",
  quantity: number | string = 1,
  options: UsageReporter.Options = {}
) =>
  Effect.gen(function* () {
    const made = yield* makeSubscribed()
    const service = stubService()
    service.reply = () => reply
    const reporter = yield* makeReporter(made.store, service, options)
    yield* made.ledger.record({
      ...{ subscription: "a", dimension: "calls", quantity, at: minutesLater(-60) }
    })
    return { ...made, reporter, service }
  })

const assertHealth = (
  ledger: UsageLedger.Service,
  state: LedgerReport.Health["state"],
  ...reasons: ReadonlyArray<RegExp>
) =>
  Effect.map(ledger.health, (health) => {
    assert.strictEqual(health.state, state, health.reasons.join("\n"))
    assert.strictEqual(health.reasons.length, reasons.length, health.reasons.join("\n"))
    for (const [index, reason] of reasons.entries()) {
      assert.match(health.reasons[index] ?? "", reason)
    }
  })

const noWorker =
  /^no worker reports in us-east-1( since 2026-11-2.*)?, and there is usage to report$/

describe("health is ok", () => {
  it.scoped("without usage, and with usage of the current hour", () =>
    Effect.gen(function* () {
      const { ledger } = yield* makeSubscribed()
      yield* assertHealth(ledger, "ok")
      yield* ledger.record({ subscription: "a", dimension: "calls", quantity: 1 })
      yield* assertHealth(ledger, "ok")
    })
  )

  it.scoped("when everything is billed, whether a worker is there or not", () =>
    Effect.gen(function* () {
      const { ledger, reporter } = yield* prepare()
      yield* setTime("2026-11-24T10:10:00Z")
      yield* passing(reporter.report)
      yield* assertHealth(ledger, "ok")
      yield* setTime("2026-11-24T20:00:00Z")
      yield* assertHealth(ledger, "ok")
    })
  )

  it.scoped("with a fraction of a unit that is carried", () =>
    Effect.gen(function* () {
      const { ledger, reporter } = yield* prepare()
      yield* ledger.record({
        ...{ subscription: "a", dimension: "gb", quantity: "0.999", at: minutesLater(-60) }
      })
      yield* setTime("2026-11-24T10:10:00Z")
      yield* passing(reporter.report)
      yield* assertHealth(ledger, "ok")
    })
  )
})

describe("health is stuck", () => {
  it.scoped("where an hour is not sealed 30 minutes after its end", () =>
    Effect.gen(function* () {
      const { ledger } = yield* prepare()
      yield* setTime("2026-11-24T10:29:59.999Z")
      yield* assertHealth(ledger, "ok")
      yield* setTime("2026-11-24T10:30:00Z")
      yield* assertHealth(
        ledger,
        "stuck",
        /^the hour 2026-11-24T09:00:00.000Z of analytics in us-east-1 is over and not sealed$/,
        noWorker
      )
    })
  )

  it.scoped("20 minutes after the time at which the reporter seals", () =>
    Effect.gen(function* () {
      const { ledger, reporter } = yield* prepare("Success", 1, { sealAfter: "1 hour" })
      yield* setTime("2026-11-24T10:59:00Z")
      yield* passing(reporter.report)
      yield* assertHealth(ledger, "ok")
      yield* setTime("2026-11-24T11:19:59.999Z")
      yield* assertHealth(ledger, "ok")
      yield* setTime("2026-11-24T11:20:00Z")
      yield* assertHealth(ledger, "stuck", /^the hour .*T09:00.* is over and not sealed$/, noWorker)
    })
  )

  it.scoped("where no worker holds the lease of a Region that has work", () =>
    Effect.gen(function* () {
      const { ledger, reporter } = yield* prepare("unprocessed")
      yield* setTime("2026-11-24T10:10:00Z")
      yield* passing(reporter.report)
      yield* assertHealth(ledger, "ok")
      yield* setTime("2026-11-24T10:20:00Z")
      yield* assertHealth(ledger, "stuck", noWorker)
    })
  )

  it.scoped("where a Region is stopped and its hours are held, until recover", () =>
    Effect.gen(function* () {
      const { ledger, reporter } = yield* prepare("DuplicateRecord")
      yield* setTime("2026-11-24T10:10:00Z")
      yield* passing(reporter.report)
      const conflicting = /^1 entries of the last 48 hours are billed with another quantity$/
      yield* assertHealth(
        ledger,
        "stuck",
        /^reporting in us-east-1 is stopped since 2026-11-24T10:1.*: another quantity is billed/,
        /^the hours from 2026-11-24T09:00:00.000Z to before 2026-11-24T11:00:00.000Z are held until ledger recover$/,
        conflicting
      )
      yield* ledger.operator.recover
      yield* assertHealth(ledger, "atRisk", conflicting)
    })
  )

  it.scoped("but not for an hour that is held", () =>
    Effect.gen(function* () {
      const { ledger, reporter } = yield* prepare("DuplicateRecord")
      yield* setTime("2026-11-24T10:10:00Z")
      yield* passing(reporter.report)
      yield* ledger.record({ subscription: "a", dimension: "calls", quantity: 1 })
      yield* setTime("2026-11-24T12:00:00Z")
      const { reasons } = yield* ledger.health
      assert.deepEqual(
        reasons.filter((reason) => reason.includes("not sealed")),
        []
      )
    })
  )
})

describe("health is at risk", () => {
  it.scoped("while a product is paused", () =>
    Effect.gen(function* () {
      const { ledger, reporter } = yield* prepare(new InvalidProductCodeException({ operation }))
      yield* setTime("2026-11-24T10:10:00Z")
      yield* passing(reporter.report)
      yield* assertHealth(
        ledger,
        "atRisk",
        /^analytics in us-east-1 is paused since 2026-11-24T10:1.*: .*product code/
      )
    })
  )

  it.scoped("while all products of a Region are paused", () =>
    Effect.gen(function* () {
      const { ledger, reporter } = yield* prepare(
        new CredentialsRejectedError({ operation, code: "UnrecognizedClientException" })
      )
      yield* setTime("2026-11-24T10:10:00Z")
      yield* passing(reporter.report)
      yield* assertHealth(ledger, "atRisk", /^all products in us-east-1 are paused since /)
    })
  )

  it.scoped("from half of the time of a record on, and from an hour before its deadline on", () =>
    Effect.gen(function* () {
      const { ledger, reporter } = yield* prepare("unprocessed")
      const late = /^1 records are past half of their time, the oldest of 2026-11-24T09:00:00.000Z$/
      const soon = /^the next deadline is within an hour, at 2026-11-25T09:00:00.000Z$/
      const over = /^a deadline has passed at 2026-11-25T09:00:00.000Z$/
      const slow = /^1 records were sealed 30 minutes ago or earlier and are not accepted, after/
      yield* setTime("2026-11-24T10:10:00Z")
      yield* passing(reporter.report)
      for (const [at, state, reasons] of [
        ["2026-11-24T10:39:59.999Z", "stuck", []],
        ["2026-11-24T10:40:00.000Z", "stuck", [slow]],
        ["2026-11-24T20:59:59.999Z", "stuck", [slow]],
        ["2026-11-24T21:00:00.000Z", "stuck", [late, slow]],
        ["2026-11-25T08:00:00.000Z", "stuck", [late, slow]],
        ["2026-11-25T08:00:00.001Z", "stuck", [soon, late, slow]],
        ["2026-11-25T08:59:59.999Z", "stuck", [soon, late, slow]],
        ["2026-11-25T09:00:00.000Z", "stuck", [over]]
      ] as const) {
        yield* setTime(at)
        yield* assertHealth(ledger, state, noWorker, ...reasons)
      }
    })
  )

  it.scoped("while whole units are carried", () =>
    Effect.gen(function* () {
      const { ledger, reporter } = yield* prepare("Success", 2_147_483_648)
      yield* setTime("2026-11-24T10:10:00Z")
      yield* passing(reporter.report)
      yield* assertHealth(
        ledger,
        "atRisk",
        /^1 balances of one unit and more wait for the next hour$/
      )
    })
  )

  const finals: ReadonlyArray<readonly [string, Reply, RegExp]> = [
    ["in doubt", lostResponse, /^1 entries of the last 48 hours are in doubt$/],
    ["expired", "unprocessed", /^1 entries .* were not accepted before their deadline$/],
    [
      "not subscribed",
      "CustomerNotSubscribed",
      /^1 entries .* are of customers who are not subscribed$/
    ],
    [
      "rejected",
      new InvalidUsageDimensionException({ operation }),
      /^1 entries .* were rejected by the service$/
    ]
  ]
  for (const [state, reply, reason] of finals) {
    it.scoped(`for 48 hours after an entry is ${state}`, () =>
      Effect.gen(function* () {
        const { ledger, reporter } = yield* prepare(reply)
        yield* setTime("2026-11-24T10:10:00Z")
        yield* passing(reporter.report)
        yield* setTime("2026-11-25T09:00:00Z")
        yield* passing(reporter.report)
        yield* assertHealth(ledger, "atRisk", reason)
        yield* setTime("2026-11-26T09:59:59.999Z")
        yield* assertHealth(ledger, "atRisk", reason)
        yield* setTime("2026-11-26T10:00:00Z")
        yield* assertHealth(ledger, "ok")
      })
    )
  }
})
