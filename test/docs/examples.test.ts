import { readdirSync } from "node:fs"
import { fileURLToPath } from "node:url"
import { describe, expect, it } from "@effect/vitest"
import { Effect, Layer, Logger, ManagedRuntime } from "effect"
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
  vi.stubEnv("AWS_ENDPOINT_URL_MARKETPLACE_METERING", url)
})

afterAll(async () => {
  vi.unstubAllEnvs()
  await server.dispose()
})

interface Example {
  readonly program?: Effect.Effect<unknown, unknown, MeteringSandbox.MeteringSandbox>
  /** Lines that tell their value, and that value. */
  readonly [told: `told${number}`]: readonly [value: unknown, told: unknown]
}

describe("every example runs, and its values are what it tells", () => {
  it("and there are so many", () => {
    expect(examples.filter((name) => name.startsWith("README.")).length).toBeGreaterThan(10)
    expect(examples.length).toBeGreaterThan(100)
  })

  for (const name of examples) {
    it(name, async () => {
      const example: Example = await import(`${out}${name}`)
      for (const [key, pair] of Object.entries(example)) {
        if (key.startsWith("told")) expect(pair[0]).toEqual(pair[1])
      }
      if (example.program !== undefined) {
        await Effect.runPromise(
          example.program.pipe(
            Effect.provide(SandboxLive),
            Effect.provide(Logger.remove(Logger.defaultLogger))
          )
        )
      }
    })
  }
})
