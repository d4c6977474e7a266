/**
 * From the start of a process to its first signed request at the server, and the memory that it has by its answer:
 * bundled and not, beside the official SDK and beside Node alone. Processes of every kind by turns.
 *
 *     npm run bench:startup             the table
 *     npm run bench:startup -- --quick  fewer rounds, for a first look
 */
import { spawn } from "node:child_process"
import { once } from "node:events"
import { mkdtempSync, rmSync, statSync, writeFileSync } from "node:fs"
import { createServer } from "node:http"
import { availableParallelism, cpus, tmpdir } from "node:os"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { build } from "esbuild"
import { ratio, shown, spread } from "./measure.js"

const root = fileURLToPath(new URL("../..", import.meta.url))
const rounds = process.argv.includes("--quick") ? 5 : 21

const credentials = `{ accessKeyId: "AKIAIOSFODNN7EXAMPLE", secretAccessKey: "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY" }`
const options = `{ region: "us-east-1", endpoint: process.env.ENDPOINT }`
const done = "process.send(process.memoryUsage.rss(), () => process.exit())"

const ours = (imports, http) => `
${imports}
const live = MeteringClient.layer.pipe(
  Layer.provide([MeteringConfig.layer(${options}), AwsCredentials.layerStatic(${credentials}), ${http}])
)
Effect.runPromise(MeteringClient.resolveCustomer({ registrationToken: Redacted.make("t") }).pipe(
  Effect.zipRight(Effect.sync(() => ${done})), Effect.provide(live)))
`

/** Each thing from its own module, as a bundler would see to. */
const modules = (http) => `
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import * as AwsCredentials from "effect-marketplace-metering/AwsCredentials"
import * as MeteringClient from "effect-marketplace-metering/MeteringClient"
import * as MeteringConfig from "effect-marketplace-metering/MeteringConfig"
${http}
`
const fetch = `import * as FetchHttpClient from "@effect/platform/FetchHttpClient"`
const undici = `import * as NodeHttpClient from "@effect/platform-node/NodeHttpClient"`

const programs = {
  "official SDK": `
import { MarketplaceMeteringClient, ResolveCustomerCommand } from "@aws-sdk/client-marketplace-metering"
new MarketplaceMeteringClient({ ...${options}, credentials: ${credentials} })
  .send(new ResolveCustomerCommand({ RegistrationToken: "t" }))
  .then(() => ${done})
`,
  "this client, undici": ours(modules(undici), "NodeHttpClient.layerUndici"),
  "this client, fetch": ours(modules(fetch), "FetchHttpClient.layer"),
  "this client, fetch, all by the root": ours(
    `import { FetchHttpClient } from "@effect/platform"
import { Effect, Layer, Redacted } from "effect"
import { AwsCredentials, MeteringClient, MeteringConfig } from "effect-marketplace-metering"`,
    "FetchHttpClient.layer"
  ),
  "Effect and its fetch client alone, unsigned": `
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import * as HttpClient from "@effect/platform/HttpClient"
${fetch}
class Answer extends Schema.Class("Answer")({ a: Schema.optional(Schema.String) }) {}
Effect.runPromise(HttpClient.post(process.env.ENDPOINT).pipe(
  Effect.flatMap((answer) => answer.json), Effect.flatMap(Schema.decodeUnknown(Answer)),
  Effect.zipRight(Effect.sync(() => ${done})), Effect.provide(FetchHttpClient.layer)))
`,
  "Node alone, unsigned": `
import { request } from "node:http"
request(process.env.ENDPOINT, { method: "POST" }, (answer) => answer.resume().on("end", () => ${done})).end("{}")
`
}

let arrived = 0
const server = createServer((request, response) => {
  arrived = performance.now()
  request.resume().on("end", () => response.end('{"CustomerIdentifier":"c","ProductCode":"p"}'))
})
server.listen(0, "127.0.0.1")
await once(server, "listening")

/** Milliseconds to the request, megabytes by the answer. */
const start = async (args) => {
  const begun = performance.now()
  const child = spawn(process.execPath, ["--no-warnings", ...args], {
    cwd: root,
    env: { ...process.env, ENDPOINT: `http://127.0.0.1:${server.address().port}` },
    stdio: ["ignore", "ignore", "inherit", "ipc"]
  })
  const [rss] = await once(child, "message")
  await once(child, "exit")
  return { time: arrived - begun, memory: rss / 1e6 }
}

const directory = mkdtempSync(join(tmpdir(), "startup-"))
const cases = []
for (const [name, program] of Object.entries(programs)) {
  const file = join(directory, `${cases.length}.cjs`)
  const { outputFiles } = await build({
    stdin: { contents: program, resolveDir: root },
    bundle: true,
    minify: true,
    write: false,
    format: "cjs",
    platform: "node",
    // the SDK has both forms of module, and this is the smaller one
    mainFields: ["module", "main"],
    logLevel: "error",
    tsconfigRaw: {}
  })
  writeFileSync(file, outputFiles[0].contents)
  cases.push(
    { name: `${name}, unbundled`, args: ["--input-type=module", "--eval", program] },
    { name: `${name}, bundled`, args: [file], size: statSync(file).size }
  )
}

const samples = new Map(cases.map(({ name }) => [name, []]))
for (let round = 0; round <= rounds; round++) {
  for (const { args, name } of round % 2 === 0 ? cases : cases.toReversed()) {
    const cost = await start(args)
    // the first round brings the files into the system's cache
    if (round > 0) samples.get(name).push(cost)
  }
}

console.log(
  `Node ${process.version}, ${availableParallelism()} × ${cpus()[0]?.model}; median of ${rounds} processes (quartiles)`
)
console.table(
  Object.fromEntries(
    cases.map(({ name, size }) => {
      const all = samples.get(name)
      const base = samples.get(
        name.endsWith(", unbundled") ? "official SDK, unbundled" : "official SDK, bundled"
      )
      return [
        name,
        {
          "time of the SDK's": shown(ratio(all, base, "time")),
          "memory of the SDK's": shown(ratio(all, base, "memory")),
          "time, ms": spread(all.map(({ time }) => time)).median.toFixed(0),
          "memory, MB": spread(all.map(({ memory }) => memory)).median.toFixed(0),
          "bundle, kB": size === undefined ? "" : (size / 1000).toFixed(0)
        }
      ]
    })
  )
)
rmSync(directory, { recursive: true })
server.close()
