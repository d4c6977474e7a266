/** Billing over signed HTTP in real time, with cut connections and late responses. */
import { HttpClient } from "@effect/platform"
import { NodeHttpClient } from "@effect/platform-node"
import { assert, describe, it } from "@effect/vitest"
import { DateTime, Duration, Effect, FastCheck, Layer, Schedule } from "effect"
import * as MeteringRetry from "effect-marketplace-metering/MeteringRetry"
import { type Fault, MeteringSandbox, SandboxServer } from "effect-marketplace-metering/sandbox"
import * as UsageSubmission from "effect-marketplace-metering/UsageSubmission"
import { clientLayer } from "../../support/client.js"
import { assertBilling, assertOneOutcomeEach, billedLines } from "./invariants.js"
import type { WireRequest } from "./oracle.js"
import {
  canonical,
  catalogAt,
  expiringAccount,
  type Item,
  itemAt,
  rawCalls,
  scenarioOf
} from "./simulation.js"

const faultKinds: ReadonlyArray<Fault.Fault> = [
  { fault: "cutAfter" },
  { fault: "cutBefore" },
  { fault: "throttling" },
  { fault: "internalError" },
  { fault: "unavailable" },
  { fault: "unprocessed", share: 0.5 },
  // above and below the request timeout
  { fault: "latency", duration: "1 minute" },
  { fault: "slowBody", duration: "30 millis" }
]

/** Each fault once, then at random. */
const faults: Fault.Faults = {
  script: faultKinds,
  chances: faultKinds.map((fault) => ({ ...fault, probability: 0.06 })),
  seed: 11
}

const options: UsageSubmission.Options = {
  rate: 1_000,
  bufferSize: 60,
  linger: "10 millis",
  schedule: MeteringRetry.backoff({ base: "5 millis", max: "100 millis" }).pipe(
    Schedule.zipLeft(MeteringRetry.whileRetryable),
    Schedule.upTo("1 minute")
  )
}

describe("over HTTP", () => {
  it.live(
    "every record is billed at most once, and a second submission bills nothing more",
    () =>
      Effect.gen(function* () {
        const start = yield* DateTime.now
        const catalog = catalogAt(start)
        const items = FastCheck.sample(itemAt(start), { numRuns: 250, seed: 5 }).filter(
          isStillValid(start)
        )
        const bodies = new Set<string>()
        const Live = Layer.unwrapEffect(
          Effect.map(SandboxServer.SandboxServer, ({ url }) =>
            clientLayer(recordBodies(bodies)(NodeHttpClient.layerUndici), {
              config: { endpoint: url, requestTimeout: Duration.seconds(1) },
              credentials: {
                get: Effect.succeed(SandboxServer.defaultCredentials),
                refresh: () => Effect.succeed(SandboxServer.defaultCredentials)
              }
            })
          )
        ).pipe(
          Layer.provide(SandboxServer.layerNode()),
          Layer.provideMerge(MeteringSandbox.layer({ ...scenarioOf(catalog), faults }))
        )
        yield* Effect.gen(function* () {
          const context = { catalog, sandbox: yield* MeteringSandbox.MeteringSandbox }
          const first = yield* UsageSubmission.submitAll(items, options)
          assertOneOutcomeEach(first.outcomes, items.length)
          yield* assertBilling(context, first.outcomes)
          const before = yield* billedLines(context)

          const log = yield* context.sandbox.report.log
          assert.includeMembers(
            log.map(({ fault }) => fault),
            faultKinds.map(({ fault }) => fault)
          )
          for (const { body } of rawCalls(log)) {
            assert.isTrue(bodies.has(canonical(JSON.parse(body))), body)
          }

          yield* context.sandbox.control.setFaults({})
          const second = yield* UsageSubmission.submitAll(items, options)
          yield* assertBilling(context, second.outcomes)
          assert.deepStrictEqual(yield* billedLines(context), before)
          const idsOf = ({ outcomes }: UsageSubmission.Report) =>
            outcomes.map((outcome) => outcome._tag === "Accepted" && outcome.meteringRecordId)
          const ids = idsOf(second)
          idsOf(first).forEach((id, index) => {
            if (id !== false) assert.strictEqual(ids[index], id)
          })
        }).pipe(Effect.provide(Live))
      }),
    120_000
  )
})

/** True if the service still accepts the record in a minute. */
const isStillValid =
  (start: DateTime.Utc) =>
  ({ record: { customerAWSAccountId, timestamp } }: Item) =>
    customerAWSAccountId !== expiringAccount && DateTime.distance(timestamp, start) < 23 * 3_600_000

/** Adds the canonical form of each request body to `bodies`. */
const recordBodies = (bodies: Set<string>) => (http: Layer.Layer<HttpClient.HttpClient>) =>
  Layer.effect(
    HttpClient.HttpClient,
    Effect.map(
      HttpClient.HttpClient,
      HttpClient.tapRequest(({ body }) =>
        Effect.sync(() => {
          if (body._tag !== "Uint8Array") throw new Error("expected a body of bytes")
          const text = new TextDecoder().decode(body.body)
          bodies.add(canonical(JSON.parse(text) as WireRequest))
        })
      )
    )
  ).pipe(Layer.provide(http))
