import { readdirSync } from "node:fs"
import { fileURLToPath } from "node:url"
import { NodeContext, NodeHttpClient } from "@effect/platform-node"
import { describe, expect, it } from "@effect/vitest"
import { DateTime, Effect, Either, Layer, Logger, ManagedRuntime, type Scope } from "effect"
import { AwsCredentials, MeteringConfig } from "effect-marketplace-metering"
import { MeteringSandbox, SandboxServer, Scenario } from "effect-marketplace-metering/sandbox"
import { afterAll, beforeAll, vi } from "vitest"
import "./extract.js"

const out = fileURLToPath(new URL("out/", import.meta.url))
const examples = readdirSync(out).sort((a, b) => a.localeCompare(b, "en", { numeric: true }))

/** The world of the README, and the product and the licence that docstrings tell of. */
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

/** What runs by itself is led to a sandbox by the environment. */
const server = ManagedRuntime.make(Layer.provide(SandboxServer.layerNode(), SandboxLive))

beforeAll(async () => {
  const { url } = await server.runPromise(SandboxServer.SandboxServer)
  vi.stubEnv("AWS_REGION", "us-east-1")
  vi.stubEnv("AWS_ACCESS_KEY_ID", "sandbox")
  vi.stubEnv("AWS_SECRET_ACCESS_KEY", "sandbox")
  // names that examples make up
  vi.stubEnv("METERING_REGION", "us-east-1")
  vi.stubEnv("SELLER_KEY_ID", "sandbox")
  vi.stubEnv("SELLER_SECRET", "sandbox")
  vi.stubEnv("AWS_ENDPOINT_URL_MARKETPLACE_METERING", url)
})

afterAll(async () => {
  vi.unstubAllEnvs()
  await server.dispose()
})

/** The world of an example: a sandbox, and what a program on a machine has beside it. */
const ExampleLive = Layer.mergeAll(
  SandboxLive,
  AwsCredentials.layerStatic({ accessKeyId: "sandbox", secretAccessKey: "sandbox" }),
  MeteringConfig.layer({ region: "us-east-1" }),
  NodeHttpClient.layer,
  NodeContext.layer,
  Logger.remove(Logger.defaultLogger)
)

/** These use the port that the command's sandbox has, which may be taken, or write a file where they run. */
const notRun: ReadonlySet<string> = new Set([
  "sandbox-MeteringSandbox.3.ts",
  "sandbox-SandboxApi.1.ts",
  "sandbox-SandboxServer.2.ts"
])

type Runnable = Effect.Effect<
  unknown,
  unknown,
  Layer.Layer.Success<typeof ExampleLive> | Scope.Scope
>

/** What a program is given that takes the time of usage. */
const withCurrentTime = (program: unknown) =>
  typeof program === "function"
    ? Effect.flatMap(DateTime.now, (usedAt): Effect.Effect<unknown, unknown> => program(usedAt))
    : program

/** The program, or else all effects; and every layer is built. What an example needs is known when it runs only. */
const runnablesOf = (name: string, example: Readonly<Record<string, unknown>>) => {
  const values = Object.values(example)
  const effects =
    example.program !== undefined
      ? [withCurrentTime(example.program)]
      : values.filter((value) => Effect.isEffect(value) && !Either.isEither(value))
  const layers = values.filter(Layer.isLayer).map(Layer.build)
  return notRun.has(name) ? [] : ([...effects, ...layers] as ReadonlyArray<Runnable>)
}

describe("every example runs, and its values are what it tells", () => {
  it("and there are so many", () => {
    expect(examples.filter((name) => name.startsWith("README.")).length).toBeGreaterThan(10)
    expect(examples.length).toBeGreaterThan(100)
  })

  let run = 0
  for (const name of examples) {
    it(name, async () => {
      const example: Readonly<Record<string, unknown>> = await import(`${out}${name}`)
      // a line that tells its value is a pair of the value and of what is told
      const told = Object.entries(example).flatMap(([key, pair]) =>
        key.startsWith("told") ? [pair as readonly [unknown, unknown]] : []
      )
      for (const [value, expected] of told) expect(value).toEqual(expected)
      const runnables = runnablesOf(name, example)
      for (const runnable of runnables) {
        await Effect.runPromise(Effect.provide(Effect.scoped(runnable), ExampleLive))
      }
      if (told.length + runnables.length > 0) run += 1
    })
  }

  it("most of them do more than to be imported", () => {
    expect(run).toBe(69)
  })
})
