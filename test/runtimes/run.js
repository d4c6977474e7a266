/**
 * Runs the client's contract suite on each runtime, with the packed package, against a sandbox on this machine's
 * Node.js. Installs the runtimes into a temporary folder.
 *
 *     npm run test:runtimes
 *     npm run test:runtimes -- bun deno
 */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { build } from "esbuild"
import { run } from "./runSuite.js"
import { runtimes } from "./runtimes.js"
import { serve } from "./serve.js"

const here = fileURLToPath(new URL(".", import.meta.url))
const root = join(here, "../..")
const manifest = JSON.parse(readFileSync(join(root, "package.json"), "utf8"))

const wanted = process.argv.length > 2 ? process.argv.slice(2) : Object.keys(runtimes)
const unknownRuntimes = wanted.filter((id) => !(id in runtimes))
if (unknownRuntimes.length > 0) {
  throw new Error(`${unknownRuntimes} is not one of ${Object.keys(runtimes).join(", ")}`)
}

/** Installs the packed package, its peers in this repository's versions, and the runtimes; bundles the suite. */
const install = async (folder) => {
  const [{ filename }] = JSON.parse(
    await run(root, "npm", "pack", "--json", "--ignore-scripts", "--pack-destination", folder)
  )
  const peers = Object.keys(manifest.peerDependencies).map((name) => [
    name,
    manifest.devDependencies[name]
  ])
  const binaries = wanted.flatMap((id) => Object.entries(runtimes[id].packages))
  const dependencies = {
    [manifest.name]: `file:${filename}`,
    ...Object.fromEntries([...peers, ...binaries])
  }
  writeFileSync(
    join(folder, "package.json"),
    JSON.stringify({ private: true, type: "module", dependencies })
  )
  await run(folder, "npm", "install", "--no-package-lock", "--no-audit", "--no-fund")
  await build({
    entryPoints: [join(here, "server.ts"), join(here, "worker.ts")],
    outdir: folder,
    bundle: true,
    // the runtime resolves the package
    packages: "external",
    format: "esm",
    tsconfigRaw: {}
  })
}

/** Counts the results of one HTTP client. A known failure that passes is a failure too. */
const compareWithKnownFailures = (results, knownFailures = {}) => {
  const outcome = { passed: 0, reasons: new Set(), failures: [] }
  for (const { check, failure } of results) {
    const reason = knownFailures[check] ?? knownFailures.every
    if (failure === undefined && reason === undefined) outcome.passed++
    else if (failure !== undefined && reason !== undefined) outcome.reasons.add(reason)
    else
      outcome.failures.push(
        `${check}\n${failure ?? "It passes: remove it from the known failures."}`
      )
  }
  const unknownChecks = Object.keys(knownFailures).filter(
    (name) => name !== "every" && results.every(({ check }) => check !== name)
  )
  outcome.failures.push(
    ...unknownChecks.map(
      (name) => `There is no check "${name}": remove it from the known failures.`
    )
  )
  return outcome
}

const rows = []
const limits = []
const failures = []
let passed = 0

const folder = mkdtempSync(join(tmpdir(), "runtimes-"))
try {
  await install(folder)
  for (const id of wanted) {
    const { knownFailures = {}, name, prepare, runSuite, version } = runtimes[id]
    const hashing = await prepare(folder)
    const { close, endpoints } = await serve()
    const resultsByClient = await runSuite(folder, endpoints).finally(close)
    for (const [client, results] of Object.entries(resultsByClient)) {
      const outcome = compareWithKnownFailures(results, knownFailures[client])
      const where = `${name} ${version}, ${client}`
      passed += outcome.passed
      limits.push(...[...outcome.reasons].map((reason) => `${where}: ${reason}`))
      failures.push(...outcome.failures.map((failure) => `${where}: ${failure}`))
      rows.push({
        runtime: name,
        version,
        "HTTP client": client,
        passed: outcome.passed === 0 ? "none" : `${outcome.passed} of ${results.length}`,
        hashing
      })
    }
  }
} finally {
  rmSync(folder, { recursive: true, force: true })
}

const list = (title, lines) => {
  if (lines.length > 0) console.log(`\n${title}:\n${lines.map((line) => `- ${line}`).join("\n")}`)
}

console.table(rows)
list("Known failures", limits)
list("Failed", failures)
console.log(`\n${passed} passed, ${failures.length} failed`)
process.exitCode = passed > 0 && failures.length === 0 ? 0 : 1
