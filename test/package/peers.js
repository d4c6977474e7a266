/**
 * Installs the package as it is packed, beside the oldest and then the newest peers that its ranges let in, and has a
 * program type-checked and run with each. Needs the registry, and the build.
 *
 *     npm run build && node test/package/peers.js [floor | newest]
 */
import assert from "node:assert/strict"
import { execFileSync } from "node:child_process"
import { copyFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { dirname, join } from "node:path"
import { fileURLToPath } from "node:url"

const here = dirname(fileURLToPath(import.meta.url))
const root = join(here, "../..")
const manifest = JSON.parse(readFileSync(join(root, "package.json"), "utf8"))

const peers = Object.entries(manifest.peerDependencies)

/** The oldest version that a range lets in: each begins with it. */
const oldestOf = (range) => {
  const [, version] = /^(?:\^|>=)(\d+\.\d+\.\d+)(?: <\d+)?$/.exec(range) ?? []
  assert.ok(version, `${range} does not begin with its oldest version`)
  return version
}

const worlds = {
  floor: peers.map(([name, range]) => [name, oldestOf(range)]),
  newest: peers
}

const wanted = process.argv.length > 2 ? process.argv.slice(2) : Object.keys(worlds)

/** Programs of this folder, with their output shown when they fail. */
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

const check = (world, folder) => {
  const [{ filename }] = JSON.parse(
    run(root, "npm", "pack", "--json", "--ignore-scripts", "--pack-destination", folder)
  )
  const { "@types/node": types, typescript } = manifest.devDependencies
  const dependencies = {
    [manifest.name]: `file:${filename}`,
    "@types/node": types,
    typescript,
    ...Object.fromEntries(worlds[world])
  }
  const write = (file, value) => writeFileSync(join(folder, file), JSON.stringify(value))
  const { allowScripts } = manifest
  write("package.json", { private: true, type: "module", allowScripts, dependencies })
  // a peer that does not fit another fails here
  run(
    folder,
    "npm",
    "install",
    "--no-package-lock",
    "--no-audit",
    "--no-fund",
    "--strict-peer-deps"
  )

  copyFileSync(join(here, "consumer.ts"), join(folder, "consumer.ts"))
  const files = ["consumer.ts"]
  write("tsconfig.json", { compilerOptions: { ...compilerOptions, skipLibCheck: true }, files })
  const tsc = join(folder, "node_modules/typescript/bin/tsc")
  run(folder, process.execPath, tsc)
  // what a declaration of ours imports in vain would be `any` to the check above
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
    console.log(`${world}: ${name} ${version}`)
  }
}

/** The compiler's errors, in every declaration that is reached. */
const errorsOf = (folder, tsc) => {
  try {
    run(folder, process.execPath, tsc)
    return []
  } catch (error) {
    return error.message.split("\n")
  }
}

for (const world of wanted) {
  const folder = mkdtempSync(join(tmpdir(), `peers-${world}-`))
  try {
    check(world, folder)
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}
