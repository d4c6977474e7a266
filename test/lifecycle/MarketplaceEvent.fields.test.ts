import { describe, expect, it } from "@effect/vitest"
import { DateTime, Either, FastCheck as fc } from "effect"
import { MarketplaceEvent, Trust } from "effect-marketplace-metering/lifecycle"
import { eventBridgeExamples, noticeExamples, snsExamples } from "./support/documentExamples.js"

type Path = ReadonlyArray<string>

const decode = (message: unknown) => {
  const [result, ...others] = MarketplaceEvent.decode(JSON.stringify(message), Trust.queue)
  expect(others).toEqual([])
  return result as Either.Either<MarketplaceEvent.ReceivedEvent, unknown>
}

const eventOf = (message: unknown) => Either.getOrThrow(decode(message)).event

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" && value !== null && !Array.isArray(value)

/** A copy of a message with another value at a path. */
const withValue = (message: unknown, [name, ...others]: Path, value: unknown): unknown => {
  if (name === undefined) return value
  const object = isObject(message) ? message : {}
  return { ...object, [name]: withValue(object[name], others, value) }
}

/** A copy of a message without the field at a path. */
const without = (message: unknown, [name, ...others]: Path): unknown => {
  if (!isObject(message) || name === undefined) return message
  const { [name]: field, ...rest } = message
  return others.length === 0 || field === undefined
    ? rest
    : { ...rest, [name]: without(field, others) }
}

const subscriptionFields = [["offer-identifier"], ["isFreeTrialTermPresent"]]

const detailFields = [
  ["requestId"],
  ["catalog"],
  ["offer"],
  ["offer", "id"],
  ["product"],
  ["product", "code"],
  ["product", "id"],
  ["product", "title"],
  ["acceptor", "name"],
  ["proposer", "name"]
]

const agreementFields = [
  ...detailFields,
  ...[
    "intent",
    "status",
    "acceptanceTime",
    "startTime",
    "endTime",
    "previousAgreementId",
    "autoRenewalEnabled"
  ].map((name) => ["agreement", name]),
  ["resaleAuthorization"],
  ["resaleAuthorization", "id"],
  ["renewalSummary"],
  ["renewalSummary", "lockoutStartTime"],
  ["renewalSummary", "disabledBy"]
]

/** The optional fields of each event. */
const optionalFields: Readonly<Record<string, ReadonlyArray<Path>>> = {
  SubscribeSuccess: subscriptionFields,
  SubscribeFail: subscriptionFields,
  UnsubscribePending: subscriptionFields,
  UnsubscribeSuccess: subscriptionFields,
  EntitlementUpdated: [],
  AgreementCreated: agreementFields,
  AgreementAmended: agreementFields,
  AgreementEnded: [...detailFields, ["resaleAuthorization"], ["resaleAuthorization", "id"]],
  LicenseUpdated: detailFields,
  LicenseDeprovisioned: detailFields
}

const examples = [
  ...snsExamples.map(([tag, example]) => ({ tag, example, prefix: [] })),
  ...eventBridgeExamples.map(([tag, example]) => ({ tag, example, prefix: ["detail"] }))
]

const anExample = fc.constantFrom(...examples)

/** Values that are nearly right, and any others. */
const aValue = fc.oneof(
  fc.constantFrom<unknown>(
    "True",
    "perhaps",
    1,
    "",
    "2026-02-30T00:00:00Z",
    {},
    { id: 7 },
    [],
    [{}]
  ),
  fc.jsonValue({ maxDepth: 2 })
)

describe("an optional field", () => {
  it.prop(
    "never fails its event, whatever its value",
    [anExample, fc.array(fc.tuple(fc.nat(), aValue), { minLength: 1 })],
    ([{ example, prefix, tag }, changes]) => {
      const paths = optionalFields[tag] ?? []
      const changed = changes.reduce<unknown>((message, [i, value]) => {
        const path = paths[i % paths.length]
        return path === undefined ? message : withValue(message, [...prefix, ...path], value)
      }, example)
      const { body, event } = Either.getOrThrow(decode(changed))
      expect(event._tag).toBe(tag)
      expect(body).toEqual(JSON.parse(JSON.stringify(changed)))
    },
    { fastCheck: { numRuns: 1_000 } }
  )

  it.each(examples.map((one) => [one.tag, one] as const))("may be left out of %s", (tag, one) => {
    for (const path of optionalFields[tag] ?? []) {
      expect(eventOf(without(one.example, [...one.prefix, ...path]))._tag).toBe(tag)
    }
  })

  it.each([
    [["offer"], { id: 7 }, "offer"],
    [["product", "code"], 7, "product.code"],
    [["agreement", "endTime"], "2026-02-30T00:00:00Z", "agreement.endTime"],
    [["agreement", "autoRenewalEnabled"], "maybe", "agreement.autoRenewalEnabled"],
    [["resaleAuthorization"], {}, "resaleAuthorization"]
  ])("is absent if %j is %j, and the others remain", (path, value, name) => {
    const [, example] = eventBridgeExamples[0]
    const event = eventOf(withValue(example, ["detail", ...path], value))
    expect(event).not.toHaveProperty(name)
    expect(event).toMatchObject({ acceptor: { accountId: "444455556666" }, requestId: /./ })
  })

  it.each([
    ["true", true],
    ["false", false],
    ["True", true],
    ["FALSE", false],
    [true, true],
    [false, false],
    [1, undefined],
    ["yes", undefined],
    ["", undefined],
    [null, undefined]
  ])("reads isFreeTrialTermPresent %j as %j", (value, expected) => {
    const event = eventOf({
      action: "subscribe-success",
      "customer-identifier": "X01EXAMPLEX",
      "product-code": "n0123EXAMPLEXXXXXXXXXXXX",
      isFreeTrialTermPresent: value
    })
    expect("isFreeTrialTermPresent" in event ? event.isFreeTrialTermPresent : undefined).toBe(
      expected
    )
  })
})

describe("a time", () => {
  const [, ended] = eventBridgeExamples[5]
  const timeOf = (time: string) =>
    Either.map(decode({ ...ended, time }), ({ event }) =>
      "time" in event && event.time !== undefined ? DateTime.formatIso(event.time) : undefined
    )

  it.each(["2026-02-30", "2026-02-29", "2026-04-31", "2026-00-10", "2026-13-01", "2026-01-00"])(
    "fails its event if it is required and on %s, which no calendar has",
    (date) => {
      expect(timeOf(`${date}T00:00:00Z`)).toEqual(
        Either.left(
          expect.objectContaining({
            field: "time",
            expected: "an ISO 8601 time with its zone, such as 2026-11-25T10:00:00Z"
          })
        )
      )
    }
  )

  it.each([
    ["2028-02-29T23:59:59Z", "2028-02-29T23:59:59.000Z"],
    ["0000-02-29T00:00:00Z", "0000-02-29T00:00:00.000Z"],
    ["2026-12-31T23:00:00-02:00", "2027-01-01T01:00:00.000Z"],
    ["9999-12-31T23:59:59.999Z", "9999-12-31T23:59:59.999Z"]
  ])("is %s", (text, expected) => {
    expect(timeOf(text)).toEqual(Either.right(expected))
  })
})

describe("a field __proto__", () => {
  /** The text of a message in whose objects each field `proto` is a field `__proto__`. */
  const textOf = (message: unknown) =>
    JSON.stringify(message).replaceAll('"proto":', '"__proto__":')
  const received = (text: string) =>
    Either.getOrThrow(
      MarketplaceEvent.decode(text, Trust.queue)[0] as Either.Either<
        MarketplaceEvent.ReceivedEvent,
        unknown
      >
    )
  const [notice] = noticeExamples
  const proto = { isAdmin: true, toString: 1 }

  it.each([
    ["the detail of a notice", { ...notice, detail: { ...notice?.detail, proto } }],
    [
      "the agreement of a notice",
      { ...notice, detail: { agreement: { id: "agmt-1", proto }, list: [{ proto }] } }
    ],
    ["an unknown event", { detail: { proto }, proto }]
  ])("is data of %s", (_, message) => {
    const text = textOf(message)
    const { body, event } = received(text)
    // the fields of the envelope are in another order
    const detailOf = (json: string) => json.slice(json.indexOf('"detail":'))
    expect(detailOf(JSON.stringify(MarketplaceEvent.encode(event)))).toBe(detailOf(text))
    expect(JSON.stringify(body)).toBe(text)
    const kept = event._tag === "AgreementNotice" ? event.detail : body
    expect(Object.getPrototypeOf(kept)).toBe(Object.prototype)
    expect("isAdmin" in kept || "isAdmin" in Object(kept.agreement)).toBe(false)
    expect({}).not.toHaveProperty("isAdmin")
  })

  it.each([...eventBridgeExamples, ...snsExamples])("changes nothing of %s", (_, example) => {
    const plain = received(JSON.stringify(example)).event
    const { event } = received(
      textOf({
        ...example,
        proto,
        ...("detail" in example && { detail: { ...example.detail, proto } })
      })
    )
    expect(event).toEqual(plain)
    expect(Object.getPrototypeOf(event)).toBe(Object.getPrototypeOf(plain))
    expect(event).not.toHaveProperty("isAdmin")
  })
})
