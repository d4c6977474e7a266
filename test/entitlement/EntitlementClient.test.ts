import { inspect } from "node:util"
import { assert, describe, it } from "@effect/vitest"
import * as Chunk from "effect/Chunk"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Exit from "effect/Exit"
import * as FastCheck from "effect/FastCheck"
import * as Metric from "effect/Metric"
import * as Schedule from "effect/Schedule"
import * as Stream from "effect/Stream"
import * as TestClock from "effect/TestClock"
import {
  Entitlement,
  EntitlementClient,
  GetEntitlements
} from "effect-marketplace-metering/entitlement"
import * as MeteringMetrics from "effect-marketplace-metering/MeteringMetrics"
import { maxEmptyPages } from "../../src/entitlement/internal/pages.js"
import { captureSpans } from "../support/captureSpans.js"
import { freshCredentials, secrets } from "../support/client.js"
import { exceptionResponse, failingConnection, type Stub, stubHttp } from "../support/stubHttp.js"
import { clientLayer, productCode, request, wireEntitlement } from "./support.js"

interface Page {
  readonly size: number
  readonly nextToken?: string | undefined
}

/** A page of entitlements whose dimensions are numbered from `first`. */
const pageResponse = ({ nextToken, size }: Page, first = 0) => ({
  body: {
    Entitlements: Array.from({ length: size }, (_, i) => ({
      ...wireEntitlement,
      Dimension: `d${first + i}`
    })),
    ...(nextToken !== undefined && { NextToken: nextToken })
  }
})

/** Runs the stream against these responses, the last of which is repeated. */
const collect = (
  responses: ReadonlyArray<Stub>,
  input: GetEntitlements.Input = { productCode },
  options?: EntitlementClient.PagesOptions
) =>
  Effect.gen(function* () {
    const http = stubHttp(...responses)
    const outcome = yield* EntitlementClient.entitlements(input, options).pipe(
      Stream.runCollect,
      Effect.map((all) => Chunk.toReadonlyArray(all).map(({ dimension }) => dimension)),
      Effect.provide(clientLayer(http.layer)),
      Effect.either
    )
    return { outcome, sent: http.sent, tokens: http.sent.map(({ json }) => json.NextToken) }
  })

/** Runs the stream over a client that responds so to page 1, 2, ... Returns the error and the number of pages. */
const failureOf = (respond: (page: number) => Page) =>
  Effect.gen(function* () {
    let pages = 0
    const entitlement = new Entitlement.Entitlement({ dimension: "seats" })
    const error = yield* EntitlementClient.entitlements({ productCode }).pipe(
      Stream.runDrain,
      Effect.provideService(EntitlementClient.EntitlementClient, {
        getEntitlements: () =>
          Effect.sync(() => {
            pages += 1
            const { nextToken, size } = respond(pages)
            return new GetEntitlements.GetEntitlementsResponse({
              entitlements: Array.from({ length: size }, () => entitlement),
              nextToken
            })
          })
      }),
      Effect.flip
    )
    return { error, pages }
  })

describe("entitlements", () => {
  it.effect("goes on over empty pages that have a token, and repeats the other fields", () =>
    Effect.gen(function* () {
      const { outcome, sent } = yield* collect(
        [
          pageResponse({ size: 0, nextToken: "a" }),
          pageResponse({ size: 2, nextToken: "b" }),
          pageResponse({ size: 0, nextToken: "c" }),
          pageResponse({ size: 0, nextToken: "d" }),
          pageResponse({ size: 1 }, 2)
        ],
        { productCode, filter: { dimension: ["d0", "d1", "d2"] }, maxResults: 2 }
      )
      assert.deepStrictEqual(outcome, Either.right(["d0", "d1", "d2"]))
      const fields = {
        ProductCode: productCode,
        Filter: { DIMENSION: ["d0", "d1", "d2"] },
        MaxResults: 2
      }
      assert.deepStrictEqual(
        sent.map(({ json }) => json),
        [fields, ...["a", "b", "c", "d"].map((NextToken) => ({ ...fields, NextToken }))]
      )
    })
  )

  it.effect("begins at a given token, and ends at a blank one", () =>
    Effect.gen(function* () {
      const { outcome, tokens } = yield* collect([pageResponse({ size: 1, nextToken: " " })], {
        productCode,
        nextToken: "start"
      })
      assert.deepStrictEqual([outcome, tokens], [Either.right(["d0"]), ["start"]])
    })
  )

  it.effect.prop(
    "returns the entitlements of any pages in their order, with one call for each page",
    [FastCheck.array(FastCheck.nat({ max: 3 }), { minLength: 1, maxLength: 30 })],
    ([sizes]) =>
      Effect.gen(function* () {
        let total = 0
        const responses = sizes.map((size, i) => {
          const response = pageResponse(
            { size, nextToken: i === sizes.length - 1 ? undefined : `t${i}` },
            total
          )
          total += size
          return response
        })
        const { outcome, tokens } = yield* collect(responses)
        assert.deepStrictEqual(
          outcome,
          Either.right(Array.from({ length: total }, (_, i) => `d${i}`))
        )
        assert.deepStrictEqual(tokens, [undefined, ...sizes.slice(1).map((_, i) => `t${i}`)])
      })
  )

  it.effect("requests no page before it is needed", () =>
    Effect.gen(function* () {
      const http = stubHttp(pageResponse({ size: 2, nextToken: "a" }), pageResponse({ size: 1 }))
      const taken = yield* EntitlementClient.entitlements({ productCode }).pipe(
        Stream.take(2),
        Stream.runCollect,
        Effect.provide(clientLayer(http.layer))
      )
      assert.deepStrictEqual([taken.length, http.sent.length], [2, 1])
    })
  )

  it.effect.prop(
    "fails where tokens come back, after any beginning and any cycle",
    [FastCheck.nat({ max: 20 }), FastCheck.integer({ min: 1, max: 20 })],
    ([beginning, cycle]) =>
      Effect.gen(function* () {
        const { error, pages } = yield* failureOf((page) => ({
          size: 1,
          nextToken: page <= beginning ? `b${page}` : `c${(page - beginning) % cycle}`
        }))
        assert.deepInclude(
          { ...error },
          { _tag: "PaginationError", operation: "GetEntitlements", reason: "repeatedToken", pages }
        )
        assert.isFalse(error.isRetryable)
        assert.isAtMost(pages, 3 * (beginning + cycle) + 2)
        assert.match(error.message, /^GetEntitlements: The pages do not end: after \d+ of them/)
      })
  )

  it.effect("fails at once where the given token comes back", () =>
    Effect.gen(function* () {
      const { outcome, sent } = yield* collect([pageResponse({ size: 1, nextToken: "start" })], {
        productCode,
        nextToken: "start"
      })
      assert.strictEqual(Either.getOrThrow(Either.flip(outcome))._tag, "PaginationError")
      assert.lengthOf(sent, 1)
    })
  )

  it.effect("fails after too many empty pages in a row, though every token is new", () =>
    Effect.gen(function* () {
      // one page with an entitlement begins the count again
      const { error } = yield* failureOf((page) => ({
        size: page === 10 ? 1 : 0,
        nextToken: `t${page}`
      }))
      assert.deepInclude(
        { ...error },
        { _tag: "PaginationError", reason: "emptyPages", pages: 10 + maxEmptyPages }
      )
    })
  )

  it.effect("retries one page by the standard schedule, and repeats no entitlement", () =>
    Effect.gen(function* () {
      const fiber = yield* Effect.fork(
        collect([
          pageResponse({ size: 2, nextToken: "a" }),
          exceptionResponse("ThrottlingException"),
          failingConnection("ECONNRESET"),
          pageResponse({ size: 1 }, 2)
        ])
      )
      yield* TestClock.adjust("1 minute")
      const { outcome, tokens } = yield* fiber
      assert.deepStrictEqual(outcome, Either.right(["d0", "d1", "d2"]))
      assert.deepStrictEqual(tokens, [undefined, "a", "a", "a"])
    })
  )

  it.effect("takes another schedule, and fails with the last error", () =>
    Effect.gen(function* () {
      const responses = [
        pageResponse({ size: 1, nextToken: "a" }),
        exceptionResponse("InternalServiceErrorException", { status: 500 })
      ]
      const { outcome, sent } = yield* collect(
        responses,
        { productCode },
        { schedule: Schedule.recurs(4) }
      )
      assert.strictEqual(
        Either.getOrThrow(Either.flip(outcome))._tag,
        "InternalServiceErrorException"
      )
      assert.lengthOf(sent, 6)
    })
  )

  it.effect("sends nothing for an invalid request", () =>
    Effect.gen(function* () {
      const { outcome, sent } = yield* collect([{}], { productCode: "" })
      assert.strictEqual(Either.getOrThrow(Either.flip(outcome))._tag, "InvalidInputError")
      assert.lengthOf(sent, 0)
    })
  )
})

describe("getEntitlements", () => {
  const call = EntitlementClient.getEntitlements(request)

  it.effect("sends one signed request", () =>
    Effect.gen(function* () {
      const http = stubHttp({ body: { Entitlements: [wireEntitlement] } })
      yield* Effect.provide(call, clientLayer(http.layer))
      const [sent] = http.sent
      assert.strictEqual(sent?.url, "https://entitlement.marketplace.us-east-1.amazonaws.com/")
      assert.strictEqual(sent?.headers["x-amz-target"], "AWSMPEntitlementService.GetEntitlements")
      assert.include(
        sent?.headers.authorization,
        "/19700101/us-east-1/aws-marketplace/aws4_request"
      )
      assert.deepStrictEqual(sent?.json, {
        ProductCode: productCode,
        Filter: {
          CUSTOMER_AWS_ACCOUNT_ID: ["111122223333"],
          DIMENSION: ["seats", "storage"]
        },
        NextToken: "token-of-the-page-before",
        MaxResults: 25
      })
    })
  )

  it.effect("has a span with the name of its service, and counts in the metrics", () =>
    Effect.gen(function* () {
      const tracing = captureSpans()
      const count = MeteringMetrics.calls.pipe(
        Metric.tagged("operation", "GetEntitlements"),
        Metric.tagged("outcome", "ThrottlingException"),
        Metric.value
      )
      const before = yield* count
      yield* Effect.exit(call).pipe(
        Effect.provide(clientLayer(stubHttp(exceptionResponse("ThrottlingException")).layer)),
        tracing.trace
      )
      assert.deepStrictEqual(
        tracing.spans.map(({ name }) => name),
        ["Marketplace Entitlement Service.GetEntitlements", "POST"]
      )
      const attributes = Object.fromEntries(tracing.spans[0]?.attributes ?? [])
      assert.deepInclude(attributes, {
        "rpc.service": "Marketplace Entitlement Service",
        "rpc.method": "GetEntitlements",
        "cloud.region": "us-east-1",
        "error.type": "ThrottlingException"
      })
      assert.strictEqual((yield* count).count - before.count, 1)
    })
  )

  it.effect("refreshes expired credentials once", () =>
    Effect.gen(function* () {
      const http = stubHttp(exceptionResponse("ExpiredTokenException"), {
        body: { Entitlements: [] }
      })
      yield* Effect.provide(call, clientLayer(http.layer))
      assert.lengthOf(http.sent, 2)
      assert.include(http.sent[1]?.headers.authorization, freshCredentials.accessKeyId)
    })
  )

  const failures: ReadonlyArray<readonly [string, Stub]> = [
    ["an exception", (sent) => exceptionResponse("InvalidParameterException", echo(sent))],
    ["an unknown code", (sent) => exceptionResponse("Novel", echo(sent))],
    ["a rejected signature", (sent) => exceptionResponse("InvalidSignatureException", echo(sent))],
    ["a page of a proxy", { status: 502, body: "<html>502</html>" }],
    ["a broken connection", failingConnection("ECONNRESET")]
  ]

  it.effect.each(failures)("shows no secret after %s", ([_, response]) =>
    Effect.gen(function* () {
      const http = stubHttp(response)
      const tracing = captureSpans()
      const exit = yield* call.pipe(
        Effect.provide(
          clientLayer(http.layer, {
            credentials: { refresh: () => Effect.succeed(freshCredentials) }
          })
        ),
        tracing.trace,
        Effect.exit
      )
      assert.isTrue(Exit.isFailure(exit))
      const signatures = http.sent.map(({ headers }) => headers.authorization?.slice(-64) ?? "")
      const texts = [
        inspect(exit, { depth: 20 }),
        JSON.stringify(exit),
        ...tracing.spans.map(({ attributes, events, status }) =>
          inspect([attributes, events, status], { depth: 20 })
        )
      ]
      for (const secret of [secrets.secretAccessKey, secrets.sessionToken, ...signatures]) {
        for (const text of texts) assert.notInclude(text, secret.slice(0, 20))
      }
      for (const { attributes } of tracing.spans) {
        assert.notInclude(inspect(attributes), "111122223333")
        assert.notInclude(inspect(attributes), request.nextToken)
      }
    })
  )
})

/** A message that repeats what was signed, and the secrets. */
const echo = ({ headers }: { readonly headers: Readonly<Record<string, string>> }) => ({
  message: `rejected ${headers.authorization} ${headers["x-amz-security-token"]} ${secrets.secretAccessKey}`
})

describe("the rules of a request", () => {
  const violationsOf = (fields: GetEntitlements.Input) =>
    Either.match(GetEntitlements.makeEither(fields), {
      onLeft: ({ violations }) => violations.map(({ field, rule, value }) => [field, rule, value]),
      onRight: () => []
    })

  it.each<readonly [string, GetEntitlements.Input, ReadonlyArray<unknown>]>([
    ["the least", { productCode: "p" }, []],
    ["1 result", { productCode, maxResults: 1 }, []],
    ["25 results", { productCode, maxResults: 25 }, []],
    ["an empty filter", { productCode, filter: {} }, []],
    ["0 results", { productCode, maxResults: 0 }, [["maxResults", "maxResults", 0]]],
    ["26 results", { productCode, maxResults: 26 }, [["maxResults", "maxResults", 26]]],
    ["a fraction", { productCode, maxResults: 1.5 }, [["maxResults", "maxResults", 1.5]]],
    ["a blank token", { productCode, nextToken: " " }, [["nextToken", "nextToken", undefined]]],
    [
      "a filter without values",
      { productCode, filter: { licenseArn: [] } },
      [["filter.licenseArn", "filterValues", 0]]
    ],
    [
      "both identities",
      { productCode, filter: { customerAWSAccountId: ["1"], customerIdentifier: ["c"] } },
      [["filter.customerIdentifier", "oneCustomerIdentity", undefined]]
    ],
    [
      "an account that is none",
      { productCode, filter: { customerAWSAccountId: ["1", "a"] } },
      [["filter.customerAWSAccountId[1]", "customerAWSAccountId", "a"]]
    ],
    ["an empty product code", { productCode: "" }, [["productCode", "productCode", ""]]]
  ])("%s", (_, fields, violations) => {
    assert.deepStrictEqual(violationsOf(fields), violations)
  })

  it.effect("can be skipped by name", () =>
    Effect.gen(function* () {
      const http = stubHttp({ body: {} })
      yield* EntitlementClient.getEntitlements({ productCode, maxResults: 100 }).pipe(
        Effect.provide(clientLayer(http.layer, { config: { skipRules: ["maxResults"] } }))
      )
      assert.strictEqual(http.sent[0]?.json.MaxResults, 100)
    })
  )

  it("a token of the wrong type is not shown", () => {
    const wrong = { productCode, nextToken: 12345 as unknown as string }
    assert.deepStrictEqual(violationsOf(wrong), [["nextToken", "type", undefined]])
  })
})
