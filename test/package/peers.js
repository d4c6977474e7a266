/**
 * Installs the packed package with the oldest and the newest peers of its ranges, and type-checks and runs a program with
 * each. Also runs the README's install line and its first program of the client. Needs the registry and the build.
 *
 *     npm run build && node test/package/peers.js [floor | newest | readme]
 */
import assert from "node:assert/strict"
import { execFileSync, spawn } from "node:child_process"
import { once } from "node:events"
import { copyFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { dirname, join } from "node:path"
import { fileURLToPath } from "node:url"

const here = dirname(fileURLToPath(import.meta.url))
const root = join(here, "../..")
const manifest = JSON.parse(readFileSync(join(root, "package.json"), "utf8"))

const peers = Object.entries(manifest.peerDependencies).filter(
  // loaded by the ledger's stores, whose tests run them
  ([name]) => !["better-sqlite3", "libsql", "pg"].includes(name)
)

/** The lower bound of a range. */
const oldestOf = (range) => {
  const [, version] = /^(?:\^|>=)(\d+\.\d+\.\d+)(?: <\d+)?$/.exec(range) ?? []
  assert.ok(version, `${range} does not begin with its lower bound`)
  return version
}

const peerSets = {
  floor: peers.map(([name, range]) => [name, oldestOf(range)]),
  newest: peers
}

const wanted =
  process.argv.length > 2 ? process.argv.slice(2) : [...Object.keys(peerSets), "readme"]

/** Runs a program. Its output is in the error if it fails. */
const run = (cwd, program, ...args) => {
  try {
    return execFileSync(program, args, { cwd, encoding: "utf8" })
  } catch (error) {
    throw new Error(`${program} ${args.join(" ")}\n${error.stdout}\n${error.stderr}`)
  }
}

const compilerOptions = {
  target: "ES2022",
  lib: ["ES2022", "DOM", "DOM.Iterable"],
  module: "NodeNext",
  types: ["node"],
  strict: true,
  exactOptionalPropertyTypes: true
}

/** Packs the package into a folder and returns the dependency on it. */
const pack = (folder) => {
  const [{ filename }] = JSON.parse(
    run(root, "npm", "pack", "--json", "--ignore-scripts", "--pack-destination", folder)
  )
  return `file:${filename}`
}

const install = ["install", "--no-package-lock", "--no-audit", "--no-fund", "--strict-peer-deps"]

const check = (set, folder) => {
  const { "@types/node": types, typescript } = manifest.devDependencies
  const dependencies = {
    [manifest.name]: pack(folder),
    "@types/node": types,
    typescript,
    ...Object.fromEntries(peerSets[set])
  }
  const write = (file, value) => writeFileSync(join(folder, file), JSON.stringify(value))
  const { allowScripts } = manifest
  write("package.json", { private: true, type: "module", allowScripts, dependencies })
  // fails if two peers do not fit
  run(folder, "npm", ...install)

  copyFileSync(join(here, "consumer.ts"), join(folder, "consumer.ts"))
  const files = ["consumer.ts"]
  write("tsconfig.json", { compilerOptions: { ...compilerOptions, skipLibCheck: true }, files })
  const tsc = join(folder, "node_modules/typescript/bin/tsc")
  run(folder, process.execPath, tsc)
  // an unresolved import of a declaration is `any` in the check above
  write("tsconfig.json", { compilerOptions: { ...compilerOptions, noEmit: true }, files })
  const own = errorsOf(folder, tsc).filter((line) =>
    line.startsWith(`node_modules/${manifest.name}/`)
  )
  assert.deepEqual(own, [])
  assert.match(run(folder, process.execPath, "--no-warnings", "consumer.js"), /passed/)
  for (const [name] of peers) {
    const { version } = JSON.parse(
      readFileSync(join(folder, "node_modules", name, "package.json"), "utf8")
    )
    console.log(`${set}: ${name} ${version}`)
  }
}

/** The compiler's errors, also in declarations. */
const errorsOf = (folder, tsc) => {
  try {
    run(folder, process.execPath, tsc)
    return []
  } catch (error) {
    return error.message.split("\n")
  }
}

/** Runs the README's install line of the client, its sandbox and the client's first program. */
const checkReadme = async (folder) => {
  const readme = readFileSync(join(root, "README.md"), "utf8")
  // the client's section: its program runs, and needs no package of a database
  const section = readme.slice(readme.indexOf("## In an Effect program"))
  const [, packages] = /^npm install ((?:.*\\\n)*.*)$/m.exec(section)
  const [, exports] = /^```sh\n(export [\s\S]*?)^```/m.exec(readme)
  const [, program] = /^```ts\n([\s\S]*?)^```/m.exec(section)
  const { allowScripts } = manifest
  const write = (file, text) => writeFileSync(join(folder, file), text)
  write("package.json", JSON.stringify({ private: true, type: "module", allowScripts }))
  const [name, ...peers] = packages.split(/[\s\\]+/)
  assert.equal(name, manifest.name)
  run(folder, "npm", ...install, pack(folder), ...peers)
  write("program.js", program)
  const binary = join(folder, "node_modules/.bin", manifest.name)
  const sandbox = spawn(binary, ["sandbox", "--port", "0"], {
    stdio: ["ignore", "pipe", "inherit"]
  })
  try {
    const [printed] = await once(sandbox.stdout, "data")
    const [url] = /http:\/\/127\.0\.0\.1:\d+/.exec(String(printed))
    const script = `${exports.replace(/http:\S+/, url)}\nnode --no-warnings program.js`
    assert.match(run(folder, "sh", "-euc", script), /record 0: Accepted/)
  } finally {
    sandbox.kill("SIGTERM")
  }
  console.log("readme: installed, and its first program was accepted")
}

for (const set of wanted) {
  const folder = mkdtempSync(join(tmpdir(), `peers-${set}-`))
  try {
    if (set === "readme") await checkReadme(folder)
    else check(set, folder)
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}
