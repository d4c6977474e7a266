// The sandbox command in a child process, and the resource usage of a process.
import { execFileSync, spawn } from "node:child_process"
import { once } from "node:events"
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { createInterface } from "node:readline"
import { fileURLToPath } from "node:url"

const command = fileURLToPath(
  new URL("../../dist/bin/effect-marketplace-metering.js", import.meta.url)
)

/** Resident bytes of a process. */
export const bytesOf = (pid) =>
  Number(execFileSync("ps", ["-o", "rss=", "-p", String(pid)], { encoding: "utf8" })) * 1024

/** Microseconds of CPU that a process has used. Linux counts them in hundredths of a second. */
export const cpuOf = (pid) => {
  const stat = readFileSync(`/proc/${pid}/stat`, "utf8")
  // the second field is a name, which may have spaces in it
  const [user, system] = stat
    .slice(stat.lastIndexOf(")") + 2)
    .split(" ")
    .slice(11, 13)
  return (Number(user) + Number(system)) * 10_000
}

/** Starts it; returns its URL and how to stop it. */
export const startSandbox = async (scenario) => {
  const folder = mkdtempSync(join(tmpdir(), "bench-"))
  const file = join(folder, "scenario.json")
  writeFileSync(file, JSON.stringify(scenario))
  const child = spawn(process.execPath, [command, "sandbox", "--port", "0", "--scenario", file], {
    stdio: ["ignore", "pipe", "inherit"]
  })
  const ended = once(child, "exit")
  try {
    const endpoint = await new Promise((resolve, reject) => {
      ended.then(([code]) => reject(new Error(`the sandbox ended with ${code}`)), reject)
      createInterface({ input: child.stdout }).on("line", (line) => {
        const [url] = /http:\/\/[\d.]+:\d+/.exec(line) ?? []
        if (url !== undefined) resolve(url)
      })
    })
    const stop = () => child.kill()
    return { endpoint, pid: child.pid, stop }
  } catch (error) {
    child.kill()
    throw error
  } finally {
    // it has read it by now
    rmSync(folder, { recursive: true, force: true })
  }
}
