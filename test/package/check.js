// Looks at the package as it will be published: what it holds, what can be imported, what that pulls in.
import assert from "node:assert/strict"
import { execFileSync, spawn } from "node:child_process"
import { once } from "node:events"
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { dirname, join } from "node:path"
import { fileURLToPath } from "node:url"
import { gzipSync } from "node:zlib"
import { build } from "esbuild"

const root = join(dirname(fileURLToPath(import.meta.url)), "../..")
const manifest = JSON.parse(readFileSync(join(root, "package.json"), "utf8"))

// every public module has an export, and every export is a module
const subpaths = ["aws-sdk", "node", "sandbox"]
const modules = readdirSync(join(root, "src"))
  .filter((file) => /^[A-Z]\w*\.ts$/.test(file))
  .map((file) => file.slice(0, -3))
assert.deepEqual(
  Object.keys(manifest.exports).sort(),
  [
    ".",
    "./package.json",
    "./scenario.schema.json",
    ...[...subpaths, ...modules].map((name) => `./${name}`)
  ].sort()
)
for (const name of [...subpaths, ...modules]) {
  assert.ok(
    Object.keys(await import(`${manifest.name}/${name}`)).length > 0 ||
      ["Preflight", "Transport"].includes(name),
    name
  )
}
const index = await import(manifest.name)
assert.deepEqual(Object.keys(index).sort(), [...modules].sort())

// an editor finds what a scenario's file may hold
const { Scenario } = await import(`${manifest.name}/sandbox`)
const schema = fileURLToPath(import.meta.resolve(`${manifest.name}/scenario.schema.json`))
assert.deepEqual(JSON.parse(readFileSync(schema, "utf8")), Scenario.jsonSchema())

// internals are closed
for (const inside of [
  "internal/client/httpTransport",
  "internal/client/httpTransport.js",
  "dist/internal/client/httpTransport.js"
]) {
  await assert.rejects(import(`${manifest.name}/${inside}`), {
    code: "ERR_PACKAGE_PATH_NOT_EXPORTED"
  })
}

// nothing of Node or the SDK under the root, not even lazily: this build has neither
const bundle = async (contents, options = {}) => {
  const { metafile, outputFiles } = await build({
    stdin: { contents, resolveDir: root },
    bundle: true,
    write: false,
    metafile: true,
    minify: true,
    format: "esm",
    platform: "browser",
    logLevel: "silent",
    // the package as others see it, not its sources
    tsconfigRaw: {},
    ...options
  })
  const [{ inputs }] = Object.values(metafile.outputs)
  return {
    contents: outputFiles[0].contents,
    text: outputFiles[0].text,
    // what is left of them once it has been shaken
    modules: Object.keys(inputs).filter((module) => inputs[module].bytesInOutput > 0)
  }
}
await bundle(`import * as all from "${manifest.name}"; console.log(all)`)
await assert.rejects(
  bundle(`import * as all from "${manifest.name}/node"; console.log(all)`),
  "a bundle for a browser must not find Node: else the check above shows nothing"
)

// what an app pays over what it has anyway; the ceilings notice when one name brings the rest
const app = `
import * as FetchHttpClient from "@effect/platform/FetchHttpClient"
import * as HttpClient from "@effect/platform/HttpClient"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
class A extends Schema.Class("A")({ a: Schema.String, d: Schema.DateTimeUtc }) {}
export const program = Effect.flatMap(HttpClient.get("https://example.com"), (r) => r.text).pipe(
  Effect.zip(Schema.decodeUnknown(A)({ a: "", d: "" })), Effect.provide(FetchHttpClient.layer), Effect.withSpan("x"))
`
const kilobytesOf = ({ contents }) => gzipSync(contents).length / 1000
const module = (name) => `"${manifest.name}/${name}"`
const allOperations = `
export * from ${module("MeteringClient")}
export { layer as config } from ${module("MeteringConfig")}
export { layerStatic } from ${module("AwsCredentials")}
`
const dependencies = /node_modules\/(effect|@effect\/platform)\//
const byItself = /Accessors|Optic|MeteringRetry|jwt|sandbox|node\/|aws-sdk|[sS]ubmission/
const errors = ["InvalidTokenException", "CredentialsRejectedError", "DisabledApiException"]
const table = {}

/** What an export adds to a bundle, in kB. The most that it may be is a little more than it is. */
const sizes = async (over, rows) => {
  const before = kilobytesOf(await bundle(over))
  for (const [what, ceiling, contents, absent, texts = []] of rows) {
    const bundled = await bundle(over + contents)
    const added = kilobytesOf(bundled) - before
    table[what] = `${added.toFixed(1)} kB`
    assert.ok(added <= ceiling, `${what}: ${added} kB, and ${ceiling} kB is the most`)
    const own = bundled.modules.filter((name) => !dependencies.test(name))
    assert.deepEqual(
      own.filter((name) => absent.test(name)),
      [],
      what
    )
    assert.deepEqual(
      texts.filter((text) => bundled.text.includes(text)),
      [],
      what
    )
  }
}

await sizes(app, [
  ["all four operations", 17.1, allOperations, byItself],
  // a bundler that does not look into namespaces keeps the whole of each module
  [
    "the same, by the root",
    20.9,
    `
import { AwsCredentials, MeteringClient, MeteringConfig } from "${manifest.name}"
export const used = [
  AwsCredentials.layerStatic, MeteringConfig.layer, MeteringClient.layer, MeteringClient.meterUsage,
  MeteringClient.batchMeterUsage, MeteringClient.registerUsage, MeteringClient.resolveCustomer
]`,
    byItself
  ],
  [
    "one error",
    0.5,
    `export { ThrottlingException } from ${module("MeteringError")}`,
    /internal|UsageRecord/,
    errors
  ],
  [
    "one schema",
    1.8,
    `export { UsageRecord } from ${module("UsageRecord")}`,
    /MeteringError|http|validate|encode|decode/,
    errors
  ],
  [
    "one accessor",
    1,
    `export { urTimestamp } from ${module("Accessors")}`,
    /MeteringError|UsageRecord/,
    errors
  ],
  [
    "the official SDK's client and four commands",
    Number.POSITIVE_INFINITY,
    `export { MarketplaceMeteringClient, MeterUsageCommand, BatchMeterUsageCommand, RegisterUsageCommand, ResolveCustomerCommand } from "@aws-sdk/client-marketplace-metering"`,
    /^dist/
  ]
])
await sizes(app + allOperations, [
  [
    "retries, beside the four",
    1,
    `export * from ${module("MeteringRetry")}`,
    /Accessors|sandbox|[sS]ubmission/
  ],
  [
    "every accessor, beside the four",
    3,
    `export * from ${module("Accessors")}`,
    /sandbox|[sS]ubmission/
  ],
  [
    "submission, beside the four",
    10.2,
    `export * from ${module("UsageSubmission")}`,
    /Accessors|sandbox/
  ]
])
console.log("gzipped, over an app with Effect, Schema and fetch:", table)

// the tarball holds the build and its sources, and nothing else
const elsewhere = mkdtempSync(join(tmpdir(), "package-"))
const [{ files }] = JSON.parse(
  execFileSync("npm", ["pack", "--json", "--dry-run", "--ignore-scripts", "--silent"], {
    cwd: root,
    encoding: "utf8"
  })
)
for (const { path } of files) {
  assert.match(
    path,
    /^(dist\/.*\.(js|d\.ts)(\.map)?|dist\/sandbox\/scenario\.schema\.json|src\/.*\.ts|package\.json|README\.md|LICENSE)$/
  )
}
for (const { path } of files) cpSync(join(root, path), join(elsewhere, "package", path))

// a stack trace and a click on a name lead to a source that is there
const shipped = new Set(files.map(({ path }) => path))
const maps = files.filter(({ path }) => path.endsWith(".map"))
assert.ok(maps.length > 100)
for (const { path } of maps) {
  const { sources } = JSON.parse(readFileSync(join(elsewhere, "package", path), "utf8"))
  for (const source of sources) assert.ok(shipped.has(join(dirname(path), source)), path)
}

// the command is one file, and needs nothing that is not in it
const command = join(elsewhere, "package", Object.values(manifest.bin)[0])
assert.deepEqual(Object.keys(manifest.bin), [manifest.name])
const clean = { cwd: elsewhere, encoding: "utf8", env: { PATH: process.env.PATH } }
const run = (...args) => execFileSync(process.execPath, [command, ...args], clean)
assert.equal(run("--version").trim(), manifest.version)
for (const subcommand of ["submit", "meter", "resolve", "register", "sandbox", "doctor"]) {
  assert.match(run("--help"), new RegExp(`^  ${subcommand} +[A-Z]`, "m"))
  assert.match(
    run(subcommand, "--help"),
    new RegExp(`${manifest.name} ${subcommand} [^]*EXIT CODES`)
  )
}
const sandbox = spawn(process.execPath, [command, "sandbox", "--port", "0"], clean)
const [told] = await once(sandbox.stdout, "data")
const [url] = /http:\/\/127\.0\.0\.1:\d+/.exec(String(told)) ?? []
assert.equal((await fetch(url)).headers.get("x-effect-marketplace-metering-sandbox"), "true")
sandbox.kill("SIGTERM")
assert.deepEqual(await once(sandbox, "exit"), [0, null])

// a bundle with its own `require` for what is CommonJS in it, or in the form of CommonJS, serves and calls
for (const [format, js] of [
  [
    "esm",
    'import { createRequire } from "node:module"; const require = createRequire(import.meta.url)'
  ],
  ["cjs", ""]
]) {
  const outfile = join(elsewhere, `bundled.${format === "esm" ? "mjs" : "cjs"}`)
  await build({
    entryPoints: [join(root, "test/package/bundled.js")],
    outfile,
    bundle: true,
    format,
    platform: "node",
    banner: { js },
    tsconfigRaw: {},
    logLevel: "error"
  })
  assert.match(execFileSync(process.execPath, [outfile], clean), /^billed 42$/m)
}
const size = files.find(({ path }) => path === "dist/bin/effect-marketplace-metering.js").size
rmSync(elsewhere, { recursive: true })

console.log(`the command is one file of ${(size / 1_000_000).toFixed(2)} MB`)
console.log(
  `${files.length} files in the package; exports, internals and runtimes as they should be`
)
