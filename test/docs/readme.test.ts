import { readdirSync } from "node:fs"
import { fileURLToPath } from "node:url"
import { describe, expect, it } from "@effect/vitest"
import { Effect, Layer, Logger, ManagedRuntime } from "effect"
import { MeteringSandbox, SandboxServer } from "effect-marketplace-metering/sandbox"
import { afterAll, beforeAll, vi } from "vitest"
import "./extract.js"

const out = fileURLToPath(new URL("out/", import.meta.url))
const snippets = readdirSync(out)
  .filter((name) => name.startsWith("README."))
  .sort((a, b) => a.localeCompare(b, "en", { numeric: true }))

/** The README's programs are run as they stand; the environment leads them to a sandbox. */
const server = ManagedRuntime.make(
  Layer.provide(SandboxServer.layerNode(), MeteringSandbox.layer())
)

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

describe("every snippet of the README runs", () => {
  it("and there are so many", () => {
    expect(snippets).toHaveLength(14)
  })

  for (const snippet of snippets) {
    it(snippet, async () => {
      const { program } = (await import(`${out}${snippet}`)) as {
        program?: Effect.Effect<unknown, unknown, MeteringSandbox.MeteringSandbox>
      }
      if (program !== undefined) {
        await Effect.runPromise(
          program.pipe(
            Effect.provide(MeteringSandbox.layer()),
            Effect.provide(Logger.remove(Logger.defaultLogger))
          )
        )
      }
    })
  }
})
