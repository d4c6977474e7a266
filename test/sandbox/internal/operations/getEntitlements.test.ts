/** GetEntitlements in the sandbox: agreements, filters, pages, tokens, and requests of other clients. */
import { assert, describe, it } from "@effect/vitest"
import { Chunk, DateTime, Effect, Either, FastCheck, Layer, Stream } from "effect"
import { EntitlementClient, type GetEntitlements } from "../../../../src/entitlement/index.js"
import { MeteringSandbox, SandboxServer, Scenario } from "../../../../src/sandbox/index.js"
import { setTime, statusesOf } from "../../support.js"

const now = "2026-11-24T10:30:00Z"
const at = (iso: string) => DateTime.unsafeMake(iso)
const account = (i: number) => String(111_111_111_100 + i)

const seats = (count: number): Scenario.Entitlement => ({
  dimension: "seats",
  value: { integerValue: count }
})

const products = [{ code: "p", dimensions: ["calls"], contractDimensions: ["seats", "tier"] }]

const sandboxWith = (
  agreements: ReadonlyArray<ReadonlyArray<Omit<Scenario.Agreement, "productCode">>>,
  options: MeteringSandbox.Options = {}
) =>
  Effect.provide(
    MeteringSandbox.layer({
      products,
      customers: agreements.map((all, i) => ({
        customerAWSAccountId: account(i),
        agreements: all.map((agreement) => ({ productCode: "p", ...agreement }))
      })),
      ...options
    })
  )

const get = (input: Omit<GetEntitlements.Input, "productCode"> = {}) =>
  EntitlementClient.getEntitlements({ productCode: "p", ...input })

const quantitiesOf = (response: GetEntitlements.GetEntitlementsResponse) =>
  response.entitlements.map(({ value }) => value?.integerValue)

const all = (maxResults?: number) =>
  EntitlementClient.entitlements({ productCode: "p", maxResults }).pipe(
    Stream.runCollect,
    Effect.map((chunk) => Chunk.toReadonlyArray(chunk).map(({ value }) => value?.integerValue))
  )

describe("entitlements are those of active agreements", () => {
  const agreements = [
    { entitlements: [seats(1)] },
    { startsAt: at("2026-11-25T00:00:00Z"), entitlements: [seats(2)] },
    { endsAt: at("2026-11-25T00:00:00Z"), entitlements: [seats(3)] },
    { endsAt: at("2026-11-24T10:30:00Z"), entitlements: [seats(4)] },
    { cancelledAt: at("2026-11-24T10:00:00Z"), entitlements: [seats(5)] },
    {}
  ]

  it.effect.each<readonly [string, ReadonlyArray<number>]>([
    ["2026-11-24T09:59:00Z", [1, 3, 4, 5]],
    [now, [1, 3]],
    ["2026-11-25T00:00:00Z", [1, 2]]
  ])("at %s: %j", ([time, quantities]) =>
    Effect.gen(function* () {
      yield* setTime(time)
      assert.deepStrictEqual(quantitiesOf(yield* get()), [...quantities])
    }).pipe(sandboxWith([agreements]))
  )

  it.effect("expire with the agreement, or at a date of their own", () =>
    Effect.gen(function* () {
      yield* setTime(now)
      const { entitlements } = yield* get()
      assert.deepStrictEqual(
        entitlements.map(
          ({ expirationDate }) => expirationDate && DateTime.formatIso(expirationDate)
        ),
        ["2027-01-01T00:00:00.000Z", "2026-12-01T00:00:00.000Z", undefined]
      )
    }).pipe(
      sandboxWith([
        [
          {
            endsAt: at("2027-01-01T00:00:00Z"),
            entitlements: [seats(1), { ...seats(2), expirationDate: at("2026-12-01T00:00:00Z") }]
          },
          { entitlements: [seats(3)] }
        ]
      ])
    )
  )
})

describe("subscribe", () => {
  it.effect("grants entitlements, and a cancellation takes them away", () =>
    Effect.gen(function* () {
      yield* setTime(now)
      const { marketplace } = yield* MeteringSandbox.MeteringSandbox
      yield* marketplace.subscribe({
        customerAWSAccountId: account(0),
        productCode: "p",
        entitlements: [seats(7), { dimension: "tier", value: { stringValue: "gold" } }]
      })
      const { entitlements } = yield* get({ filter: { customerAWSAccountId: [account(0)] } })
      assert.deepStrictEqual(
        entitlements.map(({ dimension }) => dimension),
        ["seats", "tier"]
      )
      assert.match(entitlements[0]?.licenseArn ?? "", /:license:l-[0-9a-f]{32}$/)
      yield* marketplace.cancel({ customerAWSAccountId: account(0) })
      assert.deepStrictEqual((yield* get()).entitlements, [])
    }).pipe(sandboxWith([[]]))
  )

  it.effect("rejects entitlements to unknown dimensions", () =>
    Effect.gen(function* () {
      const { marketplace } = yield* MeteringSandbox.MeteringSandbox
      const entitlements = [{ dimension: "sofas", value: { integerValue: 1 } }]
      const errors = [
        yield* Effect.flip(
          marketplace.subscribe({
            customerAWSAccountId: account(0),
            productCode: "p",
            entitlements
          })
        ),
        yield* Effect.flip(
          marketplace.addCustomer({
            customerAWSAccountId: account(0),
            agreements: [{ productCode: "p", entitlements }]
          })
        )
      ]
      for (const { reason } of errors) {
        assert.match(reason, /^sofas is not a dimension of p: /)
      }
    }).pipe(sandboxWith([[]]))
  )

  it.effect("keeps entitlements in what is saved", () =>
    Effect.gen(function* () {
      yield* setTime(now)
      const { control, marketplace } = yield* MeteringSandbox.MeteringSandbox
      yield* marketplace.subscribe({
        customerAWSAccountId: account(0),
        productCode: "p",
        entitlements: [seats(7)]
      })
      const saved = yield* control.save
      yield* control.reset
      assert.deepStrictEqual(quantitiesOf(yield* get()), [])
      yield* control.load(saved)
      assert.deepStrictEqual(quantitiesOf(yield* get()), [7])
    }).pipe(sandboxWith([[]]))
  )
})

describe("a scenario", () => {
  it("names the customer of an entitlement to an unknown dimension", () => {
    const { problems } = Either.getOrThrow(
      Either.flip(
        Scenario.make({
          products,
          customers: [
            {
              customerAWSAccountId: account(0),
              agreements: [
                {
                  productCode: "p",
                  entitlements: [{ dimension: "sofas", value: { integerValue: 1 } }]
                }
              ]
            }
          ]
        })
      )
    )
    assert.deepStrictEqual(problems as ReadonlyArray<string>, [
      `Customer ${account(0)} has an entitlement to sofas, which is not a dimension of p.`
    ])
  })

  it("has no dimension both for usage and for contracts", () => {
    const scenario = Scenario.make({
      products: [{ code: "p", dimensions: ["seats"], contractDimensions: ["seats"] }]
    })
    assert.isTrue(Either.isLeft(scenario))
  })

  it("has entitlements in its file, with one value each", () => {
    const fileWith = (value: object) =>
      Scenario.fromJson(
        JSON.stringify({
          products,
          customers: [
            {
              customerAWSAccountId: account(0),
              agreements: [{ productCode: "p", entitlements: [{ dimension: "seats", value }] }]
            }
          ]
        })
      )
    for (const value of [
      { integerValue: 25 },
      { doubleValue: 0.5 },
      { booleanValue: false },
      { stringValue: "" }
    ]) {
      const scenario = Either.getOrThrow(fileWith(value))
      const [entitlement] = scenario.customers[0]?.agreements[0]?.entitlements ?? []
      assert.deepStrictEqual(entitlement?.value, value)
    }
    for (const value of [{}, { integerValue: 1.5 }, { integerValue: 1, stringValue: "1" }]) {
      assert.isTrue(Either.isLeft(fileWith(value)), JSON.stringify(value))
    }
  })

  it.effect("contract dimensions take no usage", () =>
    Effect.gen(function* () {
      yield* setTime(now)
      const usage = { timestamp: at(now), dimension: "seats", customerAWSAccountId: account(0) }
      assert.deepStrictEqual(
        yield* statusesOf([{ ...usage, quantity: 1 }], "p"),
        "InvalidUsageDimensionException"
      )
    }).pipe(sandboxWith([[{}]]))
  )
})

describe("pages", () => {
  const customers = Array.from({ length: 12 }, (_, i) => [
    { entitlements: [seats(10 * i), seats(10 * i + 1)] },
    { entitlements: [seats(10 * i + 2)] }
  ])
  const everything = customers.flatMap((_, i) => [10 * i, 10 * i + 1, 10 * i + 2])

  it.effect("have at most 25 entitlements by default", () =>
    Effect.gen(function* () {
      const first = yield* get()
      assert.deepStrictEqual(quantitiesOf(first), everything.slice(0, 25))
      const second = yield* get({ nextToken: first.nextToken })
      assert.deepStrictEqual(quantitiesOf(second), everything.slice(25))
      assert.isUndefined(second.nextToken)
    }).pipe(sandboxWith(customers))
  )

  it.effect.prop(
    "of any size hold each entitlement once, also where every other page is empty",
    [FastCheck.integer({ min: 1, max: 25 }), FastCheck.boolean()],
    ([maxResults, emptyEntitlementPages]) =>
      Effect.gen(function* () {
        assert.deepStrictEqual(yield* all(maxResults), everything)
        const { report } = yield* MeteringSandbox.MeteringSandbox
        const pages = Math.ceil(everything.length / maxResults)
        assert.strictEqual(
          (yield* report.callCounts).GetEntitlements,
          emptyEntitlementPages ? 2 * pages : pages
        )
      }).pipe(sandboxWith(customers, { rules: { emptyEntitlementPages } }))
  )

  it.effect(
    "are empty with a token by the rule emptyEntitlementPages, the first one included",
    () =>
      Effect.gen(function* () {
        const first = yield* get({ maxResults: 2 })
        assert.deepStrictEqual(first.entitlements, [])
        assert.isString(first.nextToken)
        const second = yield* get({ maxResults: 2, nextToken: first.nextToken })
        assert.deepStrictEqual(quantitiesOf(second), [0, 1])
      }).pipe(sandboxWith(customers, { rules: { emptyEntitlementPages: true } }))
  )

  it.effect("go on where they were, when customers come and go", () =>
    Effect.gen(function* () {
      const { marketplace } = yield* MeteringSandbox.MeteringSandbox
      const { nextToken } = yield* get({ maxResults: 3 })
      yield* marketplace.cancel({ customerAWSAccountId: account(0) })
      assert.deepStrictEqual(
        quantitiesOf(yield* get({ maxResults: 3, nextToken })),
        everything.slice(3, 6)
      )
    }).pipe(sandboxWith(customers))
  )

  it.effect("take no token of another request, and none that was changed", () =>
    Effect.gen(function* () {
      const { nextToken = "" } = yield* get({ maxResults: 1 })
      const [position = "", checksum = ""] = nextToken.split(".")
      const forged = Buffer.from('{"after":["9",0,0],"isEmpty":false}').toString("base64url")
      for (const fields of [
        { nextToken: "x" },
        { nextToken: `${position}x.${checksum}` },
        { nextToken: `${forged}.${checksum}` },
        { nextToken: position },
        { nextToken, filter: { dimension: ["seats"] } }
      ]) {
        const error = yield* Effect.flip(get(fields))
        assert.strictEqual(error._tag, "InvalidParameterException", JSON.stringify(fields))
        assert.strictEqual(error.serviceMessage, "NextToken is not one of this request's.")
      }
      assert.lengthOf((yield* get({ nextToken, maxResults: 5 })).entitlements, 5)
    }).pipe(sandboxWith(customers))
  )
})

describe("requests of other clients", () => {
  /** Posts JSON to a server without signatures. */
  const post = (json: object) =>
    Effect.gen(function* () {
      const { url } = yield* SandboxServer.SandboxServer
      const response = yield* Effect.promise(() =>
        fetch(url, {
          method: "POST",
          headers: { "x-amz-target": "AWSMPEntitlementService.GetEntitlements" },
          body: JSON.stringify(json)
        })
      )
      const body = (yield* Effect.promise(() => response.json())) as {
        readonly __type?: string
        readonly message?: string
      }
      return { status: response.status, ...body }
    })

  const served = Effect.provide(
    Layer.provideMerge(
      SandboxServer.layerNode({ anyCredentials: true }),
      MeteringSandbox.layer({ products, customers: [] })
    )
  )

  const invalid = "com.amazonaws.marketplaceentitlementservice#InvalidParameterException"

  it.live.each<readonly [object, string, RegExp]>([
    [{ ProductCode: "p", MaxResults: 0 }, invalid, /maxResults/],
    [{ ProductCode: "p", MaxResults: 26 }, invalid, /maxResults/],
    [{}, invalid, /productCode/],
    [
      { ProductCode: "p", Filter: { "0": ["1"] } },
      invalid,
      /^Filter\.0: expected one of CUSTOMER_/
    ],
    [{ ProductCode: "p", Filter: { dimension: ["seats"] } }, invalid, /^Filter\.dimension: /],
    [{ ProductCode: "p", Filter: { DIMENSION: [] } }, invalid, /dimension/],
    [
      {
        ProductCode: "p",
        Filter: { CUSTOMER_IDENTIFIER: ["c"], CUSTOMER_AWS_ACCOUNT_ID: ["1"] }
      },
      invalid,
      /customerIdentifier/
    ],
    [
      { ProductCode: "p", Filter: { DIMENSION: "seats" } },
      "com.amazon.coral.service#SerializationException",
      /DIMENSION: expected a list/
    ]
  ])("%j is rejected", ([json, type, message]) =>
    Effect.gen(function* () {
      const response = yield* post(json)
      assert.deepStrictEqual([response.status, response.__type], [400, type])
      assert.match(response.message ?? "", message)
    }).pipe(served)
  )

  it.live("unknown members beside the filter are ignored", () =>
    Effect.gen(function* () {
      const { status } = yield* post({ ProductCode: "p", Filter: null, Novel: 1 })
      assert.strictEqual(status, 200)
    }).pipe(served)
  )
})
