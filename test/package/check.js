// Checks the package as it will be published: its files, its exports, and the size of bundles with it.
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

// each public module has an export, and each export is a module
const subpaths = [
  "aws-sdk",
  "entitlement",
  "entitlement/aws-sdk",
  "ledger",
  "lifecycle",
  "node",
  "sandbox"
]
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

// editors find the schema of scenario files
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

// the root imports neither Node modules nor the SDK, not even lazily: a build for browsers fails on them
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
    // without the path aliases of this repository
    tsconfigRaw: {},
    ...options
  })
  const [{ inputs }] = Object.values(metafile.outputs)
  return {
    contents: outputFiles[0].contents,
    text: outputFiles[0].text,
    // after tree shaking
    modules: Object.keys(inputs).filter((module) => inputs[module].bytesInOutput > 0)
  }
}
await bundle(`import * as all from "${manifest.name}"; console.log(all)`)
await assert.rejects(
  bundle(`import * as all from "${manifest.name}/node"; console.log(all)`),
  "a bundle for a browser must not find Node: else the check above shows nothing"
)

// the size that the package adds to an app with Effect; a ceiling fails if one export pulls in the rest
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
const byItself =
  /Accessors|Optic|MeteringRetry|jwt|sandbox|ledger|lifecycle|entitlement|node\/|aws-sdk|internal\/sdk|[sS]ubmission/
const errors = ["InvalidTokenException", "CredentialsRejectedError", "DisabledApiException"]
const table = {}

/** Measures the size that exports add to a bundle, in kB, and compares it with its ceiling. */
const sizes = async (over, rows) => {
  const before = kilobytesOf(await bundle(over))
  for (const [name, ceiling, contents, absent, texts = []] of rows) {
    const bundled = await bundle(over + contents)
    const added = kilobytesOf(bundled) - before
    table[name] = `${added.toFixed(1)} kB`
    assert.ok(added <= ceiling, `${name}: ${added} kB, at most ${ceiling} kB allowed`)
    const own = bundled.modules.filter((module) => !dependencies.test(module))
    assert.deepEqual(
      own.filter((module) => absent.test(module)),
      [],
      name
    )
    assert.deepEqual(
      texts.filter((text) => bundled.text.includes(text)),
      [],
      name
    )
  }
}

await sizes(app, [
  ["all four operations", 17.45, allOperations, byItself],
  // bundlers that do not analyze namespaces keep whole modules
  [
    "the same, by the root",
    21.15,
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
    /internal\/(?!callError)|UsageRecord/,
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
    2.6,
    `export * from ${module("Accessors")}`,
    /sandbox|[sS]ubmission/
  ],
  [
    "submission, beside the four",
    10.05,
    `export * from ${module("UsageSubmission")}`,
    /Accessors|sandbox/
  ]
])
// a sandbox in memory carries neither the server nor its pages
const inMemory = await bundle(
  `import { MeteringSandbox } from ${module("sandbox")}; export const live = MeteringSandbox.layer()`,
  { platform: "node" }
)
assert.ok(inMemory.modules.some((module) => module.includes("sandbox/internal/runtime")))
assert.deepEqual(
  inMemory.modules.filter((module) => /internal\/(server|pages)/.test(module)),
  []
)
console.log("gzipped, over an app with Effect, Schema and fetch:", table)

const readme = readFileSync(join(root, "README.md"), "utf8")
const [, own, official] =
  /(\d+) kB for the four operations; the SDK's client adds ([\d.]+) kB/.exec(readme) ?? []
assert.equal(Number.parseFloat(table["all four operations"]).toFixed(0), own)
assert.equal(table["the official SDK's client and four commands"], `${official} kB`)

// the tarball has only the build and its sources
const folder = mkdtempSync(join(tmpdir(), "package-"))
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
for (const { path } of files) cpSync(join(root, path), join(folder, "package", path))

// source maps lead to shipped sources
const shipped = new Set(files.map(({ path }) => path))
const maps = files.filter(({ path }) => path.endsWith(".map"))
assert.ok(maps.length > 100)
for (const { path } of maps) {
  const { sources } = JSON.parse(readFileSync(join(folder, "package", path), "utf8"))
  for (const source of sources) assert.ok(shipped.has(join(dirname(path), source)), path)
}

// the command is one file without dependencies
const command = join(folder, "package", Object.values(manifest.bin)[0])
assert.deepEqual(Object.keys(manifest.bin), [manifest.name])
const clean = { cwd: folder, encoding: "utf8", env: { PATH: process.env.PATH } }
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
const [printed] = await once(sandbox.stdout, "data")
const [url] = /http:\/\/127\.0\.0\.1:\d+/.exec(String(printed)) ?? []
assert.equal((await fetch(url)).headers.get("x-effect-marketplace-metering-sandbox"), "true")
// with its pages, as in the build of the library
const pages = await import("../../dist/sandbox/internal/pages/index.js")
for (const [file, text] of [
  ["script.js", pages.script],
  ["style.css", pages.style]
]) {
  assert.equal(await fetch(`${url}/_sandbox/pages/${file}`).then((file) => file.text()), text)
}
sandbox.kill("SIGTERM")
assert.deepEqual(await once(sandbox, "exit"), [0, null])

// bundles of `node` run, as an ES module with its own `require` and as CommonJS
for (const [format, js] of [
  [
    "esm",
    'import { createRequire } from "node:module"; const require = createRequire(import.meta.url)'
  ],
  ["cjs", ""]
]) {
  const outfile = join(folder, `bundled.${format === "esm" ? "mjs" : "cjs"}`)
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
rmSync(folder, { recursive: true })

console.log(`the command is one file of ${(size / 1_000_000).toFixed(2)} MB`)
console.log(`${files.length} files in the package; exports, internals and bundles are as expected`)
