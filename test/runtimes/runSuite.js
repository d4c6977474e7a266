// Ways to run the suite: `prepare` returns the hash implementation, `runSuite` the results of the checks.
import { spawn } from "node:child_process"
import { once } from "node:events"
import { copyFileSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { text } from "node:stream/consumers"
import { fileURLToPath } from "node:url"
import { build } from "esbuild"

/** Runs a program and returns its output. */
export const run = async (cwd, program, ...args) => {
  const child = spawn(program, args, { cwd, stdio: ["ignore", "pipe", "inherit"] })
  const [printed, [code]] = await Promise.all([text(child.stdout), once(child, "close")])
  if (code !== 0) throw new Error(`${program} ended with ${code}: ${printed}`)
  return printed
}

const hashImplementations = { "sha256.node.js": "node:crypto", "sha256.webCrypto.js": "Web Crypto" }

const hashingOf = (files) => {
  const found = Object.keys(hashImplementations).filter((name) =>
    files.some((file) => file.endsWith(`/${name}`))
  )
  if (found.length !== 1) throw new Error(`hashing by ${found.join(" and ") || "nothing"}`)
  return hashImplementations[found[0]]
}

/** Runs in a runtime with processes that resolves packages. */
export const inProcess = (binary, ...options) => {
  const runIn = (folder, ...args) => run(folder, join(folder, binary), ...options, ...args)
  return {
    prepare: async (folder) => {
      // `#sha256` resolves only inside the package
      const probe = "node_modules/effect-marketplace-metering/probe.js"
      writeFileSync(join(folder, probe), 'console.log(import.meta.resolve("#sha256"))')
      return hashingOf([(await runIn(folder, probe)).trim()])
    },
    runSuite: async (folder, endpoints) =>
      JSON.parse(await runIn(folder, "server.js", JSON.stringify(endpoints)))
  }
}

/** Bundles the suite and the package into one file, with these import conditions. */
const bundle = async (folder, outfile, options) => {
  const { metafile } = await build({
    absWorkingDir: folder,
    entryPoints: ["worker.js"],
    outfile,
    bundle: true,
    metafile: true,
    format: "esm",
    platform: "browser",
    ...options
  })
  return hashingOf(Object.keys(metafile.inputs))
}

const configuration = fileURLToPath(new URL("workerd.capnp", import.meta.url))

/** Runs in a worker. */
export const inWorkerd = {
  prepare: (folder) => {
    copyFileSync(configuration, join(folder, "workerd.capnp"))
    return bundle(folder, "worker.workerd.js", { conditions: ["workerd", "worker", "browser"] })
  },
  runSuite: async (folder, endpoints) => {
    const child = spawn(
      join(folder, "node_modules/.bin/workerd"),
      ["serve", "--control-fd=3", "workerd.capnp"],
      { cwd: folder, stdio: ["ignore", "inherit", "inherit", "pipe"] }
    )
    const ended = once(child, "close")
    try {
      const [line] = await Promise.race([once(child.stdio[3], "data"), ended.then(neverListened)])
      const { port } = JSON.parse(line)
      const body = JSON.stringify(endpoints)
      const response = await fetch(`http://127.0.0.1:${port}`, { method: "POST", body })
      return await response.json()
    } finally {
      child.kill()
      await ended
    }
  }
}

const neverListened = () => {
  throw new Error("workerd ended before it listened")
}

/** Runs the bundle for browsers in Node.js, which has the same fetch. */
export const withoutPackages = {
  prepare: (folder) => bundle(folder, "worker.browser.js", {}),
  runSuite: async (folder, endpoints) => {
    const script = `
      const { default: worker } = await import("./worker.browser.js")
      const request = new Request("http://suite", { method: "POST", body: process.argv[1] })
      console.log(await (await worker.fetch(request)).text())
      process.exit()`
    const body = JSON.stringify(endpoints)
    return JSON.parse(
      await run(folder, process.execPath, "--input-type=module", "-e", script, body)
    )
  }
}
