/** The times until which usage can be recorded and billed, by the clock of the test. */
import { assert, describe, it } from "@effect/vitest"
import * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import * as TestClock from "effect/TestClock"
import { MeteringClient } from "effect-marketplace-metering/MeteringClient"
import { MeteringSandbox } from "effect-marketplace-metering/sandbox"
import {
  account,
  entriesOf,
  makeLedger,
  makeReporter,
  setTime,
  time
} from "./support/ledgerTest.js"

interface Case {
  readonly title: string
  readonly usage: string
  /** The time of closing. */
  readonly closed?: string
  readonly from?: string
  readonly until?: string
  readonly deadline: string
}

const cases: ReadonlyArray<Case> = [
  {
    title: "24 hours after the start of its hour",
    usage: "2026-11-24T10:59:59.999Z",
    deadline: "2026-11-25T10:00:00.000Z"
  },
  {
    title: "24 hours after the start of the subscription within its hour",
    usage: "2026-11-24T10:30:00Z",
    from: "2026-11-24T10:20:30.500Z",
    deadline: "2026-11-25T10:20:30.500Z"
  },
  {
    title: "24 hours after it in the last night of a month",
    usage: "2026-11-30T05:30:00Z",
    deadline: "2026-12-01T05:00:00.000Z"
  },
  {
    title: "06:00 on the first for usage 24 hours before",
    usage: "2026-11-30T06:00:00Z",
    deadline: "2026-12-01T06:00:00.000Z"
  },
  {
    title: "06:00 on the first for usage of the last minute of a month",
    usage: "2026-11-30T23:59:59.999Z",
    deadline: "2026-12-01T06:00:00.000Z"
  },
  {
    title: "24 hours after the first minute of a month",
    usage: "2026-12-01T00:00:00Z",
    deadline: "2026-12-02T00:00:00.000Z"
  },
  {
    title: "06:00 on the first of January for usage of the old year",
    usage: "2026-12-31T12:00:00Z",
    deadline: "2027-01-01T06:00:00.000Z"
  },
  {
    title: "24 hours after it on the 28th of a February with 29 days",
    usage: "2028-02-28T23:30:00Z",
    deadline: "2028-02-29T23:00:00.000Z"
  },
  {
    title: "06:00 on the first of March for usage of the 29th of February",
    usage: "2028-02-29T06:00:00Z",
    deadline: "2028-03-01T06:00:00.000Z"
  },
  {
    title: "06:00 on the first of March for usage of the 28th of a February with 28 days",
    usage: "2027-02-28T23:30:00Z",
    deadline: "2027-03-01T06:00:00.000Z"
  },
  {
    title: "one hour after closing, in the hour of closing",
    usage: "2026-11-24T10:20:00Z",
    closed: "2026-11-24T10:30:15Z",
    deadline: "2026-11-24T11:30:15.000Z"
  },
  {
    title: "one hour after closing, in an hour before",
    usage: "2026-11-24T08:20:00Z",
    closed: "2026-11-24T10:30:15Z",
    deadline: "2026-11-24T11:30:15.000Z"
  },
  {
    title: "06:00 on the first where closing came one hour before it or later",
    usage: "2026-11-30T23:10:00Z",
    closed: "2026-12-01T05:30:00Z",
    deadline: "2026-12-01T06:00:00.000Z"
  },
  {
    title: "one hour after the planned end, in the last hour",
    usage: "2026-11-24T10:20:00Z",
    until: "2026-11-24T11:00:00Z",
    deadline: "2026-11-24T12:00:00.000Z"
  }
]

const minutesBefore = (iso: string, minutes: number) =>
  DateTime.formatIso(DateTime.subtract(time(iso), { minutes }))

/** A ledger with the usage of the case, and a sandbox by the same clock. */
const prepare = ({ closed, from, until, usage }: Case) =>
  Effect.gen(function* () {
    yield* setTime(minutesBefore(usage, 0))
    const { ledger, store } = yield* makeLedger()
    yield* ledger.subscribe({
      id: "a",
      product: "analytics",
      customerAWSAccountId: account,
      from: time(from ?? minutesBefore(usage, 600)),
      until: until === undefined ? undefined : time(until)
    })
    yield* ledger.record({ id: "1", subscription: "a", dimension: "calls", quantity: 3 })
    if (closed !== undefined) {
      yield* setTime(closed)
      yield* ledger.close("a")
    }
    const client = yield* MeteringClient
    return { ledger, reporter: yield* makeReporter(store, client) }
  })

/** A sandbox with the agreement of the case. */
const sandbox = ({ closed, usage }: Case) =>
  MeteringSandbox.layer({
    region: "us-east-1",
    products: [{ code: "analytics-code", dimensions: ["calls", "gb"] }],
    customers: [
      {
        customerAWSAccountId: account,
        agreements: [
          {
            productCode: "analytics-code",
            startsAt: time(minutesBefore(usage, 6_000)),
            ...(closed !== undefined && { cancelledAt: time(closed) })
          }
        ]
      }
    ]
  })

const billed = Effect.flatMap(MeteringSandbox.MeteringSandbox, ({ report }) =>
  Effect.map(report.billed, (all) => all.map(({ quantity }) => quantity))
)

const justBefore = ({ deadline }: Case) => TestClock.setTime(Date.parse(deadline) - 1)

describe("the deadline of usage is", () => {
  for (const one of cases) {
    it.scoped(`${one.title}: billed a millisecond before ${one.deadline}`, () =>
      Effect.gen(function* () {
        const { ledger, reporter } = yield* prepare(one)
        yield* justBefore(one)
        assert.deepInclude(yield* reporter.report, { sealed: 1, sent: 1, accepted: 1, expired: 0 })
        const [entry] = yield* entriesOf(ledger)
        assert.strictEqual(entry?.state, "accepted")
        assert.strictEqual(entry?.deadline && DateTime.formatIso(entry.deadline), one.deadline)
        assert.deepEqual(yield* billed, [3])
      }).pipe(Effect.provide(sandbox(one)))
    )

    it.scoped(`${one.title}: not sent at ${one.deadline}`, () =>
      Effect.gen(function* () {
        const { ledger, reporter } = yield* prepare(one)
        yield* setTime(one.deadline)
        yield* reporter.report
        assert.deepInclude(yield* reporter.report, { sent: 0, expired: 1 })
        const [entry] = yield* entriesOf(ledger)
        assert.strictEqual(entry?.state, "expired")
        assert.deepEqual(yield* billed, [])
      }).pipe(Effect.provide(sandbox(one)))
    )

    it.scoped(`${one.title}: takes usage until a millisecond before ${one.deadline}`, () =>
      Effect.gen(function* () {
        const { ledger } = yield* prepare(one)
        const more = {
          ...{ subscription: "a", dimension: "gb", quantity: 1 },
          at: time(one.usage)
        }
        yield* justBefore(one)
        assert.deepInclude(yield* ledger.record({ ...more, id: "2" }), { _tag: "Recorded" })
        yield* setTime(one.deadline)
        assert.deepInclude(yield* Effect.flip(ledger.record({ ...more, id: "3" })), {
          _tag: "EventTooLate",
          reason: "deadline",
          hour: Math.floor(Date.parse(one.usage) / 3_600_000)
        })
        // and still knows what it has
        assert.deepInclude(yield* ledger.record({ ...more, id: "2" }), { _tag: "AlreadyRecorded" })
      }).pipe(Effect.provide(sandbox(one)))
    )
  }
})
