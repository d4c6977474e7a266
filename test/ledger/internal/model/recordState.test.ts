import { assert, describe, it } from "@effect/vitest"
import { FastCheck } from "effect"
import { deriveState } from "../../../../src/ledger/internal/model/recordState.js"
import type {
  AttemptResult,
  AttemptRow,
  RecordState
} from "../../../../src/ledger/internal/model/rows.js"

const deadline = 1_000

type Attempts = ReadonlyArray<ReadonlyArray<AttemptResult>>

const attemptOf = (results: ReadonlyArray<AttemptResult>, call: number): AttemptRow => ({
  ...{ record: 1, call, sentAt: call, worker: "w" },
  results: results.map((result) => ({
    ...{ record: 1, call, at: call, result, requestId: undefined, detail: undefined },
    meteringRecordId: result === "success" ? "m" : undefined
  }))
})

const derived = (attempts: Attempts, now = 0) => deriveState(attempts.map(attemptOf), deadline, now)

const results: ReadonlyArray<AttemptResult> = [
  ...(["success", "duplicate", "notSubscribed", "rejected"] as const),
  ...(["unprocessed", "unsent", "noResponse", "unknownStatus"] as const)
]

const attemptsOf = (some: ReadonlyArray<AttemptResult>): FastCheck.Arbitrary<Attempts> =>
  FastCheck.array(FastCheck.array(FastCheck.constantFrom(...some), { maxLength: 3 }), {
    maxLength: 5
  })

const shuffled = <A>(values: ReadonlyArray<A>) =>
  FastCheck.shuffledSubarray([...values], { minLength: values.length })

/** The same results, the attempts in another order, and the results of each attempt too. */
const reordered = (attempts: Attempts): FastCheck.Arbitrary<Attempts> =>
  FastCheck.tuple(...attempts.map(shuffled)).chain(shuffled)

const withReordered = (some: ReadonlyArray<AttemptResult>) =>
  attemptsOf(some).chain((attempts) =>
    FastCheck.tuple(FastCheck.constant(attempts), reordered(attempts))
  )

const times = FastCheck.constantFrom(0, deadline - 1, deadline, deadline + 1)

const cases: ReadonlyArray<
  readonly [attempts: Attempts, before: RecordState, after: RecordState, isResolved: boolean]
> = [
  [[], "sealed", "expired", false],
  [[["unsent"], ["unprocessed"]], "sealed", "expired", false],
  [[[]], "sealed", "inDoubt", false],
  [[["noResponse"]], "sealed", "inDoubt", false],
  [[["unknownStatus"]], "sealed", "inDoubt", false],
  [[["notSubscribed"], []], "sealed", "inDoubt", false],
  [[["success"]], "accepted", "accepted", true],
  [[[], ["noResponse"], ["success"]], "accepted", "accepted", true],
  [[["duplicate"], ["success"]], "accepted", "accepted", true],
  [[["duplicate"]], "conflicting", "conflicting", true],
  [[["unsent"], ["duplicate"]], "conflicting", "conflicting", true],
  [[["noResponse"], ["duplicate"]], "inDoubt", "inDoubt", true],
  [[["notSubscribed"]], "notSubscribed", "notSubscribed", false],
  [[["rejected"]], "rejected", "rejected", false],
  [[["rejected"], ["notSubscribed"]], "notSubscribed", "notSubscribed", false],
  [[["notSubscribed"], ["rejected"]], "rejected", "rejected", false],
  [[["rejected"], ["unsent"], ["unprocessed"]], "rejected", "rejected", false],
  [[["unsent", "rejected"]], "rejected", "rejected", false],
  // the first result of the call was stored after its rejection
  [[["rejected", "unsent"]], "rejected", "rejected", false],
  [[["noResponse", "success"]], "accepted", "accepted", true]
]

describe("deriveState", () => {
  for (const [attempts, before, after, isResolved] of cases) {
    it(`derives from ${JSON.stringify(attempts)} ${before}, and past the deadline as ${after}`, () => {
      assert.deepInclude(derived(attempts, deadline - 1), { state: before, isResolved })
      assert.deepInclude(derived(attempts, deadline), { state: after, isResolved: true })
    })
  }

  it.prop(
    "does not depend on the order of results, but for the last rejection",
    [
      FastCheck.constantFrom<AttemptResult>("notSubscribed", "rejected").chain((other) =>
        withReordered(results.filter((result) => result !== other))
      ),
      times
    ],
    ([[attempts, others], now]) => {
      assert.strictEqual(derived(others, now).state, derived(attempts, now).state)
      assert.strictEqual(derived(others, now).isResolved, derived(attempts, now).isResolved)
    }
  )

  it.prop(
    "is resolved in any order alike",
    [withReordered(results), times],
    ([[attempts, others], now]) =>
      assert.strictEqual(derived(others, now).isResolved, derived(attempts, now).isResolved)
  )

  it.prop(
    "is not changed by results that are stored twice, or by calls that were not made",
    [attemptsOf(results), times],
    ([attempts, now]) => {
      const { cause, state } = derived(attempts, now)
      const twice = attempts.map((some) => [...some, ...some])
      assert.deepInclude(derived(twice, now), { cause, state })
      assert.deepInclude(derived([...attempts, ["unsent"]], now), { cause, state })
    }
  )

  it.prop(
    "is accepted for good after one success",
    [attemptsOf(results), attemptsOf(results), times],
    ([before, after, now]) =>
      assert.deepInclude(derived([...before, ["success"], ...after], now), {
        ...{ state: "accepted", isResolved: true, meteringRecordId: "m" }
      })
  )

  it.prop(
    "is never billed for certain, nor certainly not billed, with an attempt without a result",
    [attemptsOf(results.filter((result) => result !== "success")), times],
    ([attempts, now]) => {
      const { state } = derived([...attempts, []], now)
      assert.include(["sealed", "inDoubt"], state)
    }
  )

  it.prop(
    "is resolved past the deadline, whatever happened",
    [attemptsOf(results)],
    ([attempts]) => {
      const { isResolved, state } = derived(attempts, deadline)
      assert.isTrue(isResolved)
      assert.notStrictEqual(state, "sealed")
    }
  )
})
