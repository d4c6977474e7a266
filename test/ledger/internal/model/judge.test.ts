import { assert, describe, it } from "@effect/vitest"
import { FastCheck } from "effect"
import { judge } from "../../../../src/ledger/internal/model/judge.js"
import type {
  AttemptEvidence,
  AttemptResult,
  RecordState
} from "../../../../src/ledger/internal/model/rows.js"

const deadline = 1_000

type Attempts = ReadonlyArray<ReadonlyArray<AttemptResult>>

const attemptOf = (results: ReadonlyArray<AttemptResult>, call: number): AttemptEvidence => ({
  ...{ record: 1, call, sentAt: call, worker: "w" },
  results: results.map((result) => ({
    ...{ record: 1, call, at: call, result, requestId: undefined, detail: undefined },
    meteringRecordId: result === "success" ? "m" : undefined
  }))
})

const judged = (attempts: Attempts, now = 0) => judge(attempts.map(attemptOf), deadline, now)

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
  // the first result of the call was stored after its verdict
  [[["rejected", "unsent"]], "rejected", "rejected", false],
  [[["noResponse", "success"]], "accepted", "accepted", true]
]

describe("judge", () => {
  for (const [attempts, before, after, isResolved] of cases) {
    it(`judges ${JSON.stringify(attempts)} as ${before}, and past the deadline as ${after}`, () => {
      assert.deepInclude(judged(attempts, deadline - 1), { state: before, isResolved })
      assert.deepInclude(judged(attempts, deadline), { state: after, isResolved: true })
    })
  }

  it.prop(
    "does not depend on the order of results, but for the last verdict",
    [
      FastCheck.constantFrom<AttemptResult>("notSubscribed", "rejected").chain((other) =>
        withReordered(results.filter((result) => result !== other))
      ),
      times
    ],
    ([[attempts, others], now]) => {
      assert.strictEqual(judged(others, now).state, judged(attempts, now).state)
      assert.strictEqual(judged(others, now).isResolved, judged(attempts, now).isResolved)
    }
  )

  it.prop(
    "is resolved in any order alike",
    [withReordered(results), times],
    ([[attempts, others], now]) =>
      assert.strictEqual(judged(others, now).isResolved, judged(attempts, now).isResolved)
  )

  it.prop(
    "is not changed by results that are stored twice, or by calls that were not made",
    [attemptsOf(results), times],
    ([attempts, now]) => {
      const { cause, state } = judged(attempts, now)
      const twice = attempts.map((some) => [...some, ...some])
      assert.deepInclude(judged(twice, now), { cause, state })
      assert.deepInclude(judged([...attempts, ["unsent"]], now), { cause, state })
    }
  )

  it.prop(
    "is accepted for good after one success",
    [attemptsOf(results), attemptsOf(results), times],
    ([before, after, now]) =>
      assert.deepInclude(judged([...before, ["success"], ...after], now), {
        ...{ state: "accepted", isResolved: true, meteringRecordId: "m" }
      })
  )

  it.prop(
    "is never billed for certain, nor certainly not billed, with an attempt without a result",
    [attemptsOf(results.filter((result) => result !== "success")), times],
    ([attempts, now]) => {
      const { state } = judged([...attempts, []], now)
      assert.include(["sealed", "inDoubt"], state)
    }
  )

  it.prop(
    "is resolved past the deadline, whatever happened",
    [attemptsOf(results)],
    ([attempts]) => {
      const { isResolved, state } = judged(attempts, deadline)
      assert.isTrue(isResolved)
      assert.notStrictEqual(state, "sealed")
    }
  )
})
