/** What each error of a call means for the records that it carried, for others, and for what comes later. */
import { assert, describe, it } from "@effect/vitest"
import { DateTime, Duration, Effect, Schedule, Stream } from "effect"
import type { BatchMeterUsageError } from "effect-marketplace-metering/BatchMeterUsage"
import * as MeteringError from "effect-marketplace-metering/MeteringError"
import * as MeteringRetry from "effect-marketplace-metering/MeteringRetry"
import * as UsageRecord from "effect-marketplace-metering/UsageRecord"
import {
  accept,
  answer,
  type Call,
  client,
  record,
  records,
  refuse,
  result,
  submitAll,
  tags
} from "./support.js"

const operation = "BatchMeterUsage"
const endpoint = "https://metering.example"

const connection = (delivery: "notSent" | "unknown", reason = "ECONNRESET") =>
  new MeteringError.ConnectionError({ operation, endpoint, reason, delivery })
const unexpected = (statusCode: number) =>
  new MeteringError.UnexpectedResponseError({ operation, statusCode, bodyLength: 0 })
const unknown = (code: string, statusCode = 400) =>
  new MeteringError.UnknownServiceError({ operation, code, statusCode })
const modelled = <E extends BatchMeterUsageError>(Class: {
  new (fields: { operation: typeof operation }): E
}) => new Class({ operation })
const coded = <E extends BatchMeterUsageError>(Class: {
  new (fields: { operation: typeof operation; code: string }): E
}) => new Class({ operation, code: "Code" })

const timeout = new MeteringError.RequestTimeoutError({
  operation,
  endpoint,
  timeout: Duration.seconds(30)
})

/** Every error, and one word for what it means. */
const table: ReadonlyArray<readonly [BatchMeterUsageError, Meaning]> = [
  [modelled(MeteringError.ThrottlingException), "refused for now"],
  [unknown("SlowDown"), "refused for now"],
  [unexpected(429), "refused for now"],

  [modelled(MeteringError.InternalServiceErrorException), "perhaps stored"],
  [timeout, "perhaps stored"],
  [connection("unknown"), "perhaps stored"],
  [unexpected(200), "perhaps stored"],
  [unexpected(502), "perhaps stored"],
  [unexpected(503), "perhaps stored"],
  [unknown("RequestTimeout"), "perhaps stored"],
  [unknown("Oddity", 500), "perhaps stored"],
  [unknown("AgreementLimitExceededException", 500), "perhaps stored"],

  [connection("notSent", "ECONNREFUSED"), "not delivered for now"],

  [modelled(MeteringError.InvalidUsageDimensionException), "a dimension's"],
  [modelled(MeteringError.InvalidTagException), "a record's"],
  [modelled(MeteringError.InvalidUsageAllocationsException), "a record's"],
  [modelled(MeteringError.InvalidCustomerIdentifierException), "a record's"],
  [modelled(MeteringError.TimestampOutOfBoundsException), "a record's"],
  [modelled(MeteringError.InvalidLicenseException), "a record's"],
  [unknown("ValidationException"), "a record's"],
  [unknown("SerializationException"), "a record's"],

  [modelled(MeteringError.InvalidProductCodeException), "the product's"],
  [modelled(MeteringError.DisabledApiException), "the product's"],
  [coded(MeteringError.AccessDeniedError), "the product's"],
  [unknown("NobodyKnowsException"), "the product's"],
  [unknown("RequestSizeLimitExceeded", 413), "the product's"],

  [coded(MeteringError.CredentialsExpiredError), "the caller's"],
  [coded(MeteringError.CredentialsRejectedError), "the caller's"],
  [coded(MeteringError.ClockSkewError), "the caller's"],
  [unexpected(403), "the caller's"],
  [unexpected(302), "the caller's"],
  [new MeteringError.CredentialsError({ tried: ["env"], reason: "none" }), "the caller's, unsent"],
  [connection("notSent", "CERT_HAS_EXPIRED"), "the caller's, unsent"],
  [unexpected(408), "the caller's, perhaps stored"],
  [connection("unknown", "CERT_HAS_EXPIRED"), "the caller's, perhaps stored"]
]

type Meaning =
  | "refused for now"
  | "perhaps stored"
  | "not delivered for now"
  | "a record's"
  | "a dimension's"
  | "the product's"
  | "the caller's"
  | "the caller's, unsent"
  | "the caller's, perhaps stored"

/** What comes of a lone call, of records of its product that wait, and of another product's, if it lasts. */
const expectations: { readonly [M in Meaning]: (tag: string) => Expected } = {
  "refused for now": (tag) => ({ own: `NotSent Throttled ${tag}`, attempts: 3 }),
  "perhaps stored": (tag) => ({ own: `Unknown NoAnswer ${tag}`, attempts: 3 }),
  "not delivered for now": (tag) => ({ own: `NotSent Undelivered ${tag}`, attempts: 3 }),
  "a record's": (tag) => ({ own: `Rejected ${tag}`, attempts: 1 }),
  // the record that waits is of the same dimension
  "a dimension's": (tag) => ({ own: `Rejected ${tag}`, attempts: 1, product: `Rejected ${tag}` }),
  "the product's": (tag) => ({
    own: `Rejected ${tag}`,
    attempts: 1,
    product: `NotSent Refused ${tag}`
  }),
  "the caller's": (tag) => ({
    own: `Rejected ${tag}`,
    attempts: 1,
    product: `NotSent Refused ${tag}`,
    all: `NotSent Refused ${tag}`
  }),
  "the caller's, unsent": (tag) => ({
    own: `NotSent Undelivered ${tag}`,
    attempts: 1,
    product: `NotSent Undelivered ${tag}`,
    all: `NotSent Undelivered ${tag}`
  }),
  "the caller's, perhaps stored": (tag) => ({
    own: `Unknown NoAnswer ${tag}`,
    attempts: 1,
    product: `NotSent Refused ${tag}`,
    all: `NotSent Refused ${tag}`
  })
}

interface Expected {
  readonly own: string
  readonly attempts: number
  readonly product?: string
  readonly all?: string
}

const titleOf = (error: BatchMeterUsageError) =>
  [
    error._tag,
    "code" in error ? error.code : undefined,
    error.statusCode,
    "delivery" in error ? `${error.delivery} ${error.reason}` : undefined
  ]
    .filter((part) => part !== undefined)
    .join(" ")

const rows = table.map(([error, meaning]) => [titleOf(error), meaning, error] as const)

/** One record that is always refused, one of the same product that waits behind it, and one of another product. */
const three = [
  { record: record(0), productCode: "refused" },
  { record: record(0, { quantity: 2 }), productCode: "refused" },
  { record: record(2), productCode: "other" }
]

const options = { schedule: MeteringRetry.standard, concurrency: 1 }

describe("an error that does not pass", () => {
  it.effect.each(rows)("%s is %s", ([, meaning, error]) =>
    Effect.gen(function* () {
      const { all, attempts, own, product } = expectations[meaning](error._tag)
      const isTheirs = (call: Call) =>
        call.records.some(({ dimension, quantity }) => dimension === "d0" && quantity === 1)
      const answers = client((call) => (isTheirs(call) ? refuse(error) : accept(call)))
      assert.deepStrictEqual(tags(yield* submitAll(three, answers, options)), [
        own,
        product ?? "Accepted id-d0",
        all ?? "Accepted id-d2"
      ])
      assert.strictEqual(answers.calls.filter(isTheirs).length, attempts)
    })
  )
})

describe("a stop after an error that passes", () => {
  it.effect.each<readonly [string, (call: Call) => ReturnType<typeof accept>, string]>([
    [
      "is not sent, with the error",
      () => refuse(modelled(MeteringError.ThrottlingException)),
      "NotSent Stopped ThrottlingException"
    ],
    [
      "is not sent, without an error that an answer came after",
      ({ records }) => Effect.succeed(answer([], records)),
      "NotSent Stopped"
    ]
  ])("%s", ([, second, expected]) =>
    Effect.gen(function* () {
      const throttled = refuse(modelled(MeteringError.ThrottlingException))
      const answers = client(() => throttled, second)
      const outcomes = yield* submitAll([record(0)], answers, {
        schedule: Schedule.spaced("1 minute"),
        stop: Effect.sleep("90 seconds")
      })
      assert.deepStrictEqual(tags(outcomes), [expected])
      assert.strictEqual(answers.calls.length, 2)
    })
  )
})

const passing: ReadonlySet<Meaning> = new Set([
  "refused for now",
  "perhaps stored",
  "not delivered for now"
])

describe("an error that passes", () => {
  it.effect.each(rows.filter(([, meaning]) => passing.has(meaning)))(
    "%s: the same records are sent again, and accepted",
    ([, , error]) =>
      Effect.gen(function* () {
        const answers = client(
          () => refuse(error),
          () => refuse(error),
          accept
        )
        const outcomes = yield* submitAll(records(3), answers, options)
        assert.deepStrictEqual(
          tags(outcomes),
          [0, 1, 2].map((i) => `Accepted id-d${i}`)
        )
        const [first, ...others] = answers.calls
        assert.strictEqual(others.length, 2)
        for (const { records } of others) {
          // the very same values, so the very same bytes
          for (const [i, record] of records.entries()) {
            assert.strictEqual(record, first?.records[i])
          }
        }
      })
  )
})

describe("a record that may have been stored is perhaps billed, and never told as not sent:", () => {
  const lost = modelled(MeteringError.InternalServiceErrorException)
  const told = (status: string) => (call: Call) =>
    Effect.succeed(answer(call.records.map((record) => result(record, status))))

  it.effect.each<readonly [string, (call: Call) => ReturnType<typeof accept>, string]>([
    ["a success", accept, "Accepted id-d0"],
    ["a duplicate", told("DuplicateRecord"), "DuplicateRecord"],
    ["not subscribed", told("CustomerNotSubscribed"), "CustomerNotSubscribed"],
    ["a new status", told("Pending"), "Pending"],
    [
      "a refusal for its sake",
      () => refuse(modelled(MeteringError.InvalidTagException)),
      "InvalidTagException"
    ],
    [
      "a refusal of the product",
      () => refuse(modelled(MeteringError.DisabledApiException)),
      "DisabledApiException"
    ],
    [
      "a refusal of the caller",
      () => refuse(coded(MeteringError.AccessDeniedError)),
      "AccessDeniedError"
    ],
    [
      "throttling to the end",
      () => refuse(modelled(MeteringError.ThrottlingException)),
      "ThrottlingException"
    ],
    ["no connection to the end", () => refuse(connection("notSent")), ""],
    ["another lost answer", () => refuse(connection("unknown")), ""],
    ["unprocessed to the end", ({ records }) => Effect.succeed(answer([], records)), ""]
  ])("stays so after %s, unless that is a success", ([, later, expected]) =>
    Effect.gen(function* () {
      const answers = client(() => refuse(lost), later)
      const [outcome] = yield* submitAll([record(0)], answers, options)
      assert.strictEqual(
        tags(outcome === undefined ? [] : [outcome])[0],
        expected.startsWith("Accepted")
          ? expected
          : `Unknown NoAnswer ${lost._tag} ${expected}`.trim()
      )
      if (outcome?._tag === "Unknown") assert.strictEqual(outcome.attempts, answers.calls.length)
    })
  )

  it.effect("stays so when its time runs out", () =>
    Effect.gen(function* () {
      const soon = record(0, { timestamp: DateTime.unsafeMake("2026-11-23T10:40:00Z") })
      const answers = client(() => refuse(lost))
      const outcomes = yield* submitAll([soon], answers, {
        schedule: MeteringRetry.patient,
        concurrency: 1
      })
      assert.deepStrictEqual(tags(outcomes), [`Unknown NoAnswer ${lost._tag}`])
    })
  )

  it.effect("is not sent again past its time", () =>
    Effect.gen(function* () {
      const soon = record(0, { timestamp: DateTime.unsafeMake("2026-11-23T10:30:30Z") })
      const later = record(1)
      const answers = client(() => refuse(lost), accept)
      const outcomes = yield* submitAll([soon, later], answers, {
        schedule: Schedule.spaced("1 minute")
      })
      assert.deepStrictEqual(tags(outcomes), [`Unknown NoAnswer ${lost._tag}`, "Accepted id-d1"])
      assert.deepStrictEqual(
        answers.calls.map(({ records }) => records.length),
        [2, 1]
      )
    })
  )
})

describe("records that the client itself refuses", () => {
  const violation = (index?: number, rule: "quantity" | "requestSize" = "quantity") => ({
    ...(index !== undefined && { index }),
    field: rule,
    rule,
    expected: "another"
  })
  const invalid = (...violations: ReadonlyArray<ReturnType<typeof violation>>) =>
    refuse(
      new MeteringError.InvalidInputError(
        { operation, violations: violations as never },
        { disableValidation: true }
      )
    )

  it.effect("are invalid, and the others are sent without them", () =>
    Effect.gen(function* () {
      const answers = client(() => invalid(violation(1), violation(3), violation(1)), accept)
      assert.deepStrictEqual(tags(yield* submitAll(records(5), answers, options)), [
        "Accepted id-d0",
        "Invalid quantity quantity,quantity quantity",
        "Accepted id-d2",
        "Invalid quantity quantity",
        "Accepted id-d4"
      ])
      assert.strictEqual(answers.calls.length, 2)
    })
  )

  it.effect("are all invalid when it is for the call's sake", () =>
    Effect.gen(function* () {
      const answers = client(() => invalid(violation()))
      assert.deepStrictEqual(tags(yield* submitAll(records(2), answers, options)), [
        "Invalid quantity quantity",
        "Invalid quantity quantity"
      ])
      assert.strictEqual(answers.calls.length, 1)
    })
  )

  it.effect("are halved when the call is too large", () =>
    Effect.gen(function* () {
      const answers = client((call) =>
        call.records.length > 2 ? invalid(violation(undefined, "requestSize")) : accept(call)
      )
      const outcomes = yield* submitAll(records(8), answers, options)
      assert.isTrue(outcomes.every(({ _tag }) => _tag === "Accepted"))
    })
  )

  it.effect("instances that were never checked are found before any call", () =>
    Effect.gen(function* () {
      const unchecked = new UsageRecord.UsageRecord(
        { ...record(0), quantity: -1 },
        { disableValidation: true }
      )
      const answers = client(accept)
      assert.deepStrictEqual(tags(yield* submitAll([unchecked], answers, options)), [
        "Invalid quantity quantity"
      ])
      assert.strictEqual(answers.calls.length, 0)
    })
  )
})

describe("a defect of the client", () => {
  it.effect(
    "ends the stream, after the records of its call are unknown and all others have an outcome",
    () =>
      Effect.gen(function* () {
        const all: Array<string> = []
        const answers = client(() => Effect.die("oh"))
        const exit = yield* Effect.exit(
          submitAll(records(30), answers, {
            ...options,
            onInterrupt: (outcomes) => Effect.sync(() => all.push(...tags(outcomes)))
          })
        )
        assert.strictEqual(exit._tag, "Failure")
        assert.deepStrictEqual(
          [all.length, all[0], all[29]],
          [30, "Unknown Interrupted", "NotSent Stopped"]
        )
      })
  )

  it.effect("does not wait longer than the grace for a source that cannot be interrupted", () =>
    Effect.gen(function* () {
      const stuck = Stream.fromEffect(Effect.uninterruptible(Effect.never))
      const source = Stream.concat(Stream.fromIterable(records(30)), stuck)
      const answers = client(() => Effect.die("oh"))
      const exit = yield* Effect.exit(submitAll(source, answers, options))
      assert.strictEqual(exit._tag, "Failure")
    })
  )

  it.effect("reads no further", () =>
    Effect.gen(function* () {
      const answers = client(() => Effect.die("oh"))
      const exit = yield* Effect.exit(
        submitAll(
          Stream.map(
            Stream.iterate(0, (i) => i + 1),
            (i) => record(i)
          ),
          answers,
          options
        )
      )
      assert.strictEqual(exit._tag, "Failure")
    })
  )
})

describe("licences without a product", () => {
  const licence = (n: number) =>
    `arn:aws:license-manager::111122223333:license:l-${String(n).padStart(32, "0")}`
  const wrongProduct = modelled(MeteringError.InvalidProductCodeException)

  it.effect("of several products are halved apart, for a call is for one product", () =>
    Effect.gen(function* () {
      const all = Array.from({ length: 10 }, (_, i) =>
        record(i, { licenseArn: licence(i < 4 ? 1 : 2) })
      )
      const answers = client((call) =>
        new Set(call.records.map(({ licenseArn }) => licenseArn)).size > 1
          ? refuse(wrongProduct)
          : accept(call)
      )
      const outcomes = yield* submitAll(all, answers, { ...options, productCode: undefined })
      assert.isTrue(outcomes.every(({ _tag }) => _tag === "Accepted"))
    })
  )

  it.effect("of a product that is refused end with it, and others go on", () =>
    Effect.gen(function* () {
      const all = Array.from({ length: 10 }, (_, i) =>
        record(i, { licenseArn: licence(i < 4 ? 1 : 2) })
      )
      const answers = client((call) =>
        call.records.some(({ licenseArn }) => licenseArn === licence(1))
          ? refuse(wrongProduct)
          : accept(call)
      )
      const outcomes = yield* submitAll(all, answers, { ...options, productCode: undefined })
      assert.deepStrictEqual(
        tags(outcomes).map((tag) => tag.split(" ")[0]),
        [...Array(4).fill("Rejected"), ...Array(6).fill("Accepted")]
      )
    })
  )
})
