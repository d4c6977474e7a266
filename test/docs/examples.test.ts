import { mkdtempSync, readdirSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { NodeContext, NodeHttpClient } from "@effect/platform-node"
import { describe, expect, it } from "@effect/vitest"
import { DateTime, Effect, Either, Layer, Logger, ManagedRuntime, type Scope } from "effect"
import { AwsCredentials, MeteringConfig } from "effect-marketplace-metering"
import { EntitlementConfig } from "effect-marketplace-metering/entitlement"
import { MemoryLedgerStore, UsageLedger } from "effect-marketplace-metering/ledger"
import { MeteringSandbox, SandboxServer, Scenario } from "effect-marketplace-metering/sandbox"
import { afterAll, beforeAll, vi } from "vitest"
import "./extract.js"

const out = fileURLToPath(new URL("out/", import.meta.url))
const examples = readdirSync(out).sort((a, b) => a.localeCompare(b, "en", { numeric: true }))

/** The default scenario, with the product and the license of the docstrings. */
const { customers, products } = Scenario.defaultScenario
const [buyer, ...others] = customers
const productCode = "4v9hm1u3i5p7l3c0"
const licenseArn =
  "arn:aws:license-manager::111122223333:license:l-0123456789abcdef0123456789abcdef"
const SandboxLive = MeteringSandbox.layer({
  products: [...products, { code: productCode, dimensions: ["hosts", "api-calls"] }],
  customers: [
    { ...buyer, agreements: [...buyer.agreements, { productCode, licenseArn }] },
    ...others
  ]
})

/** The sandbox that the environment leads to, for examples with their own client. */
const server = ManagedRuntime.make(Layer.provide(SandboxServer.layerNode(), SandboxLive))

/** Examples write their files here. */
const folder = mkdtempSync(join(tmpdir(), "examples-"))
const directory = process.cwd()

beforeAll(async () => {
  process.chdir(folder)
  const { url } = await server.runPromise(SandboxServer.SandboxServer)
  vi.stubEnv("AWS_REGION", "us-east-1")
  vi.stubEnv("AWS_ACCESS_KEY_ID", "sandbox")
  vi.stubEnv("AWS_SECRET_ACCESS_KEY", "sandbox")
  // names of the examples
  vi.stubEnv("METERING_REGION", "us-east-1")
  vi.stubEnv("SELLER_KEY_ID", "sandbox")
  vi.stubEnv("SELLER_SECRET", "sandbox")
  vi.stubEnv("AWS_ENDPOINT_URL_MARKETPLACE_METERING", url)
  vi.stubEnv("AWS_ENDPOINT_URL_MARKETPLACE_ENTITLEMENT_SERVICE", url)
})

afterAll(async () => {
  process.chdir(directory)
  rmSync(folder, { recursive: true })
  vi.unstubAllEnvs()
  await server.dispose()
})

/** A ledger with the subscription of the docstrings. */
const LedgerLive = Layer.effectDiscard(
  UsageLedger.subscribe({
    id: "agmt-1234",
    product: "analytics",
    customerAWSAccountId: "222233334444",
    from: DateTime.unsafeMake(0)
  })
).pipe(
  Layer.provideMerge(
    UsageLedger.layer({
      seller: "111122223333",
      target: "sandbox",
      products: {
        analytics: {
          region: "us-east-1",
          productCode,
          dimensions: { "api-calls": {}, "gb-hours": { scale: 3 } },
          tagKeys: ["team"]
        }
      }
    })
  ),
  Layer.provideMerge(MemoryLedgerStore.layer)
)

/** The services of an example. */
const ExampleLive = Layer.mergeAll(
  SandboxLive,
  LedgerLive,
  AwsCredentials.layerStatic({ accessKeyId: "sandbox", secretAccessKey: "sandbox" }),
  MeteringConfig.layer({ region: "us-east-1" }),
  EntitlementConfig.layer(),
  NodeHttpClient.layer,
  NodeContext.layer,
  Logger.remove(Logger.defaultLogger)
)

/** These use the default port of the sandbox, a database, or write a file to the working directory. */
const notRun: ReadonlySet<string> = new Set([
  "ledger-PgLedgerStore.1.ts",
  "ledger-PgLedgerStore.2.ts",
  "ledger-PgLedgerStore.3.ts",
  "ledger-SqliteLedgerStore.1.ts",
  // functions of something else than a time
  ...[3, 4, 5, 6, 7].map((example) => `ledger-UsageLedger.${example}.ts`),
  "sandbox-MeteringSandbox.3.ts",
  "sandbox-SandboxApi.1.ts",
  "sandbox-SandboxServer.2.ts"
])

type Runnable = Effect.Effect<
  unknown,
  unknown,
  Layer.Layer.Success<typeof ExampleLive> | Scope.Scope
>

/** Calls a program that is a function of the time of usage. */
const withCurrentTime = (program: unknown) =>
  typeof program === "function"
    ? Effect.flatMap(DateTime.now, (usedAt): Effect.Effect<unknown, unknown> => program(usedAt))
    : program

/** The export `program`, or else all effects, and the build of each layer. Their requirements are known only at run time. */
const runnablesOf = (name: string, example: Readonly<Record<string, unknown>>) => {
  const values = Object.values(example)
  const effects =
    example.program !== undefined
      ? [withCurrentTime(example.program)]
      : values.filter((value) => Effect.isEffect(value) && !Either.isEither(value))
  const layers = values.filter(Layer.isLayer).map(Layer.build)
  return notRun.has(name) ? [] : ([...effects, ...layers] as ReadonlyArray<Runnable>)
}

describe("each example runs, and its values are as commented", () => {
  it("in the README and the docstrings", () => {
    expect(examples.filter((name) => name.startsWith("README.")).length).toBe(13)
    expect(examples.length).toBeGreaterThan(100)
  })

  let run = 0
  for (const name of examples) {
    it(name, async () => {
      const example: Readonly<Record<string, unknown>> = await import(`${out}${name}`)
      // pairs of a value and its comment: see extract.js
      const pairs = Object.entries(example).flatMap(([key, pair]) =>
        /^value\d/.test(key) ? [pair as readonly [unknown, unknown]] : []
      )
      for (const [value, expected] of pairs) expect(value).toEqual(expected)
      const runnables = runnablesOf(name, example)
      for (const runnable of runnables) {
        await Effect.runPromise(Effect.provide(Effect.scoped(runnable), ExampleLive))
      }
      if (pairs.length + runnables.length > 0) run += 1
    })
  }

  it("most of them have values to compare or effects to run", () => {
    expect(run).toBe(101)
  })
})
