/** `entries` with each filter, `statement`, `status`, `hourly` and `verify`. */
import { assert, describe, it } from "@effect/vitest"
import * as Chunk from "effect/Chunk"
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import type { LedgerReport, UsageLedger } from "effect-marketplace-metering/ledger"
import { everyState } from "./support/everyState.js"
import { failingStore } from "./support/failingStore.js"
import {
  account,
  entriesOf,
  makeLedger,
  makeReporter,
  makeSubscribed,
  minutesLater,
  now,
  otherAccount,
  passing,
  setTime,
  subscription,
  textsOf,
  time
} from "./support/ledgerTest.js"
import { newFile, open, withSql } from "./support/sqliteFile.js"
import { stubService } from "./support/stubService.js"

const hourOf = (hour: string) => time(`2026-11-24T${hour}:00:00Z`)

const linesOf = (ledger: UsageLedger.Service, customer: string, month: string) =>
  Effect.map(Stream.runCollect(ledger.statement({ customer, month })), Chunk.toReadonlyArray)

describe("entries", () => {
  it.scoped("are those of the filter, in the order of their hours", () =>
    Effect.gen(function* () {
      const { ledger } = yield* everyState
      const all = [
        "a calls 00 accepted 1",
        "a calls 01 conflicting 2",
        "a calls 02 notSubscribed 3",
        "a calls 03 rejected 4",
        "a calls 04 expired 5",
        "a calls 05 inDoubt 6",
        "a gb 06 zero 0.25",
        "s queries 07 sealed 8",
        "s queries 06 open 1"
      ]
      const states = (...states: ReadonlyArray<LedgerReport.State>) => ({ states })
      const cases: ReadonlyArray<readonly [UsageLedger.EntryFilter | undefined, Array<number>]> = [
        [undefined, [0, 1, 2, 3, 4, 5, 6, 7, 8]],
        [{}, [0, 1, 2, 3, 4, 5, 6, 7, 8]],
        [{ product: "search" }, [7, 8]],
        [{ product: "none" }, []],
        [{ subscription: "a" }, [0, 1, 2, 3, 4, 5, 6]],
        [{ subscription: "none" }, []],
        [{ from: hourOf("06") }, [6, 7, 8]],
        [{ from: time("2026-11-24T06:00:00.001Z") }, [7, 8]],
        [{ until: hourOf("02") }, [0, 1]],
        [{ until: time("2026-11-24T02:00:00.001Z") }, [0, 1, 2]],
        [{ from: hourOf("02"), until: hourOf("02") }, []],
        [states("accepted"), [0]],
        [states("conflicting"), [1]],
        [states("notSubscribed"), [2]],
        [states("rejected"), [3]],
        [states("expired"), [4]],
        [states("inDoubt"), [5]],
        [states("zero"), [6]],
        [states("sealed"), [7]],
        [states("open"), [8]],
        [states("open", "zero", "expired"), [4, 6, 8]],
        [states(), []],
        [{ ...states("sealed", "expired"), product: "search" }, [7]],
        [{ subscription: "a", product: "search" }, []],
        [{ subscription: "a", from: hourOf("04"), ...states("zero", "inDoubt") }, [5, 6]]
      ]
      for (const [filter, expected] of cases) {
        assert.deepEqual(
          yield* textsOf(ledger, filter),
          expected.map((index) => all[index] as string),
          JSON.stringify(filter)
        )
      }
    })
  )

  it.scoped("say whose they are, and what is billed", () =>
    Effect.gen(function* () {
      const { ledger } = yield* everyState
      const entries = yield* entriesOf(ledger)
      assert.deepEqual(entries[0], {
        product: "analytics",
        region: "us-east-1",
        subscription: "a",
        lineage: "a",
        dimension: "calls",
        hour: hourOf("00"),
        state: "accepted",
        recorded: "1",
        events: 1,
        quantity: 1,
        deadline: time("2026-11-25T00:00:00Z"),
        meteringRecordId: "metering-1-0"
      })
      assert.deepEqual(entries[8], {
        product: "search",
        region: "us-east-1",
        subscription: "s",
        lineage: "s",
        dimension: "queries",
        hour: time("2026-11-25T06:00:00Z"),
        state: "open",
        recorded: "1",
        events: 1
      })
    })
  )

  it.scoped("come in pages, each once", () =>
    Effect.gen(function* () {
      const dimensions = Object.fromEntries(
        Array.from({ length: 1_001 }, (_, index) => [`d${index}`, {}])
      )
      yield* setTime(now)
      const { ledger } = yield* makeLedger({
        products: { analytics: { region: "us-east-1", productCode: "c", dimensions } }
      })
      yield* ledger.subscribe(subscription)
      const names = Object.keys(dimensions)
      yield* ledger.recordAll(
        names.map((dimension) => ({ subscription: "a", dimension, quantity: 1 }))
      )
      const entries = yield* entriesOf(ledger)
      assert.strictEqual(entries.length, names.length)
      assert.deepEqual(new Set(entries.map(({ dimension }) => dimension)), new Set(names))
      assert.strictEqual((yield* linesOf(ledger, account, "2026-11")).length, names.length)
      assert.strictEqual(yield* Stream.runCount(ledger.verify), 0)
    })
  )

  it.scoped("fail where the store is not available, as all reports do", () =>
    Effect.gen(function* () {
      const failing = failingStore()
      const { ledger } = yield* makeSubscribed({}, failing.store)
      failing.isAway = true
      const reports: ReadonlyArray<Effect.Effect<unknown, { readonly _tag: string }>> = [
        entriesOf(ledger),
        entriesOf(ledger, { subscription: "a" }),
        linesOf(ledger, account, "2026-11"),
        ledger.status,
        ledger.hourly(time(now)),
        ledger.health,
        Stream.runCount(ledger.verify)
      ]
      for (const report of reports) {
        assert.deepInclude(yield* Effect.flip(report), { _tag: "LedgerUnavailable" })
      }
    })
  )
})

describe("statement", () => {
  it.scoped("has every entry of the month with its history and evidence", () =>
    Effect.gen(function* () {
      const { ledger } = yield* everyState
      const lines = yield* linesOf(ledger, account, "2026-11")
      assert.deepEqual(
        lines.map(({ state }) => state),
        (yield* entriesOf(ledger)).map(({ state }) => state)
      )
      const [accepted, , , rejected, , inDoubt, zero, , opened] = lines
      assert.deepEqual(
        accepted?.moves.map(({ became, cause, was }) => [was, became, cause]),
        [
          ["open", "sealed", "sealed with 1"],
          ["sealed", "accepted", "accepted by the service"]
        ]
      )
      assert.deepEqual(accepted?.attempts, [
        {
          sentAt: time(now),
          worker: "worker",
          results: [
            {
              at: time(now),
              result: "success",
              meteringRecordId: "metering-1-0",
              requestId: "sandbox-1"
            }
          ]
        }
      ])
      assert.deepEqual(JSON.parse(accepted?.body ?? ""), {
        ProductCode: "analytics-code",
        UsageRecord: {
          ...{ Timestamp: Date.parse("2026-11-24T00:00:00Z") / 1_000, Dimension: "calls" },
          ...{ Quantity: 1, CustomerAWSAccountId: account }
        }
      })
      const results = (line: LedgerReport.StatementLine | undefined) =>
        line?.attempts.flatMap(({ results }) => results.map(({ result }) => result))
      assert.deepEqual(results(rejected), ["rejected"])
      assert.isTrue(results(inDoubt)?.includes("noResponse"))
      assert.deepEqual(
        zero?.moves.map(({ cause }) => cause),
        ["came to no unit: 0.25"]
      )
      assert.deepEqual(zero?.attempts, [])
      assert.notProperty(zero, "body")
      assert.deepEqual([opened?.moves, opened?.attempts], [[], []])
    })
  )

  it.scoped("begins and ends with the hours of the month", () =>
    Effect.gen(function* () {
      yield* setTime("2026-12-01T01:00:00Z")
      const { ledger } = yield* makeLedger()
      yield* ledger.subscribe(subscription)
      const at = ["2026-11-30T23:59:59.999Z", "2026-12-01T00:00:00Z"]
      for (const [index, iso] of at.entries()) {
        yield* ledger.record({
          ...{ subscription: "a", dimension: "calls", quantity: index + 1 },
          at: time(iso)
        })
      }
      for (const [month, recorded] of [
        ["2026-10", []],
        ["2026-11", ["1"]],
        ["2026-12", ["2"]],
        ["2027-01", []]
      ] as const) {
        const lines = yield* linesOf(ledger, account, month)
        assert.deepEqual(
          lines.map((line) => line.recorded),
          recorded as never
        )
      }
    })
  )

  it.scoped("is of one customer, by account or identifier, over all products and renewals", () =>
    Effect.gen(function* () {
      const { ledger } = yield* makeSubscribed()
      const legacy = { id: "legacy", product: "analytics", customerIdentifier: "legacy-customer" }
      yield* ledger.subscribe(legacy)
      yield* ledger.subscribe({ ...subscription, id: "b", follows: "a", from: minutesLater(0) })
      const usage = { dimension: "calls", quantity: 1 }
      yield* ledger.record({ ...usage, subscription: "a", at: minutesLater(-30) })
      yield* ledger.record({ ...usage, subscription: "b" })
      yield* ledger.record({ ...usage, subscription: "s", dimension: "queries" })
      yield* ledger.record({ ...usage, subscription: "legacy" })
      const dimensions = (customer: string) =>
        Effect.map(linesOf(ledger, customer, "2026-11"), (lines) =>
          lines.map(({ dimension }) => dimension)
        )
      assert.deepEqual(yield* dimensions(account), ["calls", "calls", "queries"])
      assert.deepEqual(yield* dimensions("legacy-customer"), ["calls"])
      assert.deepEqual(yield* dimensions(otherAccount), [])
    })
  )

  it.scoped("rejects what is no month or no customer", () =>
    Effect.gen(function* () {
      const { ledger } = yield* makeSubscribed()
      for (const month of ["2026", "2026-00", "2026-13", "2026-1", "26-11", "2026-11-01", ""]) {
        assert.deepInclude(yield* Effect.flip(linesOf(ledger, account, month)), {
          _tag: "InvalidEvent",
          field: "month"
        })
      }
      for (const customer of ["", "a\0", "x".repeat(256)]) {
        assert.deepInclude(yield* Effect.flip(linesOf(ledger, customer, "2026-11")), {
          _tag: "InvalidEvent",
          field: "customer"
        })
      }
    })
  )
})

describe("status", () => {
  it.scoped("counts entries by product and state, with their oldest and their deadline", () =>
    Effect.gen(function* () {
      const { ledger } = yield* everyState
      const { counts, ...rest } = yield* ledger.status
      const count = (product: string, state: string, oldest: string) => ({
        ...{ region: "us-east-1", product, state, count: 1 },
        oldest: time(oldest)
      })
      const nextDeadline = time("2026-11-25T07:00:00Z")
      assert.deepEqual(
        [...counts].sort((left, right) => (left.state < right.state ? -1 : 1)),
        [
          count("analytics", "accepted", "2026-11-24T00:00:00Z"),
          count("analytics", "conflicting", "2026-11-24T01:00:00Z"),
          count("analytics", "expired", "2026-11-24T04:00:00Z"),
          count("analytics", "inDoubt", "2026-11-24T05:00:00Z"),
          count("analytics", "notSubscribed", "2026-11-24T02:00:00Z"),
          count("search", "open", "2026-11-25T06:00:00Z"),
          count("analytics", "rejected", "2026-11-24T03:00:00Z"),
          { ...count("search", "sealed", "2026-11-24T07:00:00Z"), nextDeadline }
        ] as never
      )
      assert.deepInclude(rest, { seller: "acme", target: "sandbox", nextDeadline })
      assert.deepEqual(rest.pauses, [])
      assert.notProperty(rest, "hold")
      const [lease] = rest.leases
      assert.deepInclude(lease, { region: "us-east-1", holder: "worker" })
      yield* setTime("2026-11-25T06:40:00Z")
      assert.notProperty((yield* ledger.status).leases[0], "holder")
    })
  )

  it.scoped("is empty at first", () =>
    Effect.gen(function* () {
      const { ledger } = yield* makeSubscribed()
      assert.deepEqual(yield* ledger.status, {
        ...{ seller: "acme", target: "sandbox" },
        ...{ counts: [], carry: [], leases: [], pauses: [] }
      })
    })
  )

  it.scoped("lists whole units that are carried, exactly", () =>
    Effect.gen(function* () {
      const { ledger, store } = yield* makeSubscribed()
      const reporter = yield* makeReporter(store, stubService())
      const usage = { subscription: "a", dimension: "gb", at: minutesLater(-60) }
      yield* ledger.record({ ...usage, quantity: "2147483650.125" })
      yield* setTime("2026-11-24T10:10:00Z")
      yield* passing(reporter.report)
      const carried = { product: "analytics", lineage: "a", dimension: "gb", tags: "" }
      assert.deepEqual((yield* ledger.status).carry, [{ ...carried, units: "3.125" }])
      assert.deepEqual(yield* textsOf(ledger), [
        "a gb 09 accepted 2147483650.125",
        "a gb 10 open 0"
      ])
    })
  )
})

describe("hourly", () => {
  it.scoped("counts the entries of each hour by product and state, from a time on", () =>
    Effect.gen(function* () {
      const { ledger } = yield* everyState
      const counts = yield* ledger.hourly(hourOf("05"))
      assert.deepEqual(
        [...counts].sort((left, right) => left.hour.epochMillis - right.hour.epochMillis),
        [
          { product: "analytics", hour: hourOf("05"), state: "inDoubt", entries: 1 },
          { product: "analytics", hour: hourOf("06"), state: "zero", entries: 1 },
          { product: "search", hour: hourOf("07"), state: "sealed", entries: 1 },
          { product: "search", hour: time("2026-11-25T06:00:00Z"), state: "open", entries: 1 }
        ]
      )
      assert.deepEqual(yield* ledger.hourly(time("2026-11-25T07:00:00Z")), [])
    })
  )
})

describe("verify", () => {
  it.scoped("emits nothing in any state", () =>
    Effect.gen(function* () {
      const { ledger } = yield* everyState
      assert.strictEqual(yield* Stream.runCount(ledger.verify), 0)
    })
  )

  it.scoped("emits each sum that another program has changed, exactly", () =>
    Effect.gen(function* () {
      const file = yield* newFile
      const { ledger, store } = yield* makeSubscribed({}, yield* open(file))
      const usage = { subscription: "a", dimension: "gb", tags: { team: "blue" } }
      yield* ledger.record({ ...usage, id: "1", quantity: "0.5" })
      const differences = Effect.map(Stream.runCollect(ledger.verify), Chunk.toReadonlyArray)
      assert.deepEqual(yield* differences, [])
      yield* Effect.sync(() =>
        withSql(file, (sql) =>
          sql.exec(
            "INSERT INTO usage_event (id, key, hour, at, quantity, tags) " +
              "SELECT 'other', key, hour, at, 250, tags FROM usage_event WHERE id = '1'"
          )
        )
      )
      const about = { lineage: "a", dimension: "gb" }
      const ofHour = { ...about, hour: hourOf("10"), stored: "0.5", computed: "0.75" }
      assert.sameDeepMembers(
        [...(yield* differences)],
        [
          { ...ofHour, what: "quantity" },
          { ...ofHour, what: "events", stored: "1", computed: "2" },
          { ...ofHour, what: 'allocation [["team","blue"]]' },
          { ...about, what: "open, billed and carried", stored: "0.5", computed: "0.75" }
        ]
      )
      const [key] = yield* store.snapshot((tables) => tables.keys({ lineages: ["s"] }))
      yield* store.transaction((tables) =>
        tables.putCarry([{ key: key?.id ?? 0, tags: "", amount: 3n }])
      )
      assert.deepInclude(yield* differences, {
        ...{ lineage: "s", dimension: "queries", what: "open, billed and carried" },
        ...{ stored: "3", computed: "0" }
      })
    })
  )
})
