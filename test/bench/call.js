/**
 * Cost of a call over loopback, beside the official SDK, aws4fetch, and a minimal signed call.
 *
 *     npm run bench             all tables
 *     npm run bench -- --quick  fewer rounds, for a first look
 *
 * CPU is all that the process spent, its garbage collection and compilation included, and the server's is not in it.
 * Allocated is what the heap and its buffers have grown by in a window in which nothing was collected; windows with
 * a collection in them are left out. It is measured in a process of its own with room for that.
 */
import { fork } from "node:child_process"
import { once } from "node:events"
import { availableParallelism, cpus } from "node:os"
import { PerformanceObserver } from "node:perf_hooks"
import { fileURLToPath } from "node:url"
import { calls } from "./calls.js"
import { clients, floorName, sdkName, variants } from "./clients.js"
import { byTurns, ratio, shown, spread } from "./measure.js"

const isQuick = process.argv.includes("--quick")
const isAllocation = process.argv.includes("--allocation")

const server = fork(fileURLToPath(new URL("server.js", import.meta.url)), { execArgv: [] })
const [port] = await once(server, "message")
const endpoint = `http://127.0.0.1:${port}`

/** Milliseconds of CPU and of the clock. What was left uncollected by others is collected before, and by these after. */
const timeWindow = (count) => async (run) => {
  globalThis.gc({ type: "minor" })
  const start = performance.now()
  const before = process.cpuUsage()
  await run()
  const wall = performance.now() - start
  globalThis.gc({ type: "minor" })
  const { system, user } = process.cpuUsage(before)
  return { cpu: (user + system) / 1000 / count, wall: wall / count }
}

const heap = () => {
  const { arrayBuffers, heapUsed } = process.memoryUsage()
  return heapUsed + arrayBuffers
}

/** Kilobytes, or nothing where some of it was collected meanwhile. */
const allocationWindow = (count) => {
  const collections = new PerformanceObserver(() => undefined)
  collections.observe({ entryTypes: ["gc"] })
  return async (run) => {
    globalThis.gc()
    await new Promise((resolve) => setTimeout(resolve, 5))
    collections.takeRecords()
    const before = heap()
    await run()
    const grown = heap() - before
    return { kilobytes: collections.takeRecords().length > 0 ? Number.NaN : grown / 1000 / count }
  }
}

const settings = isAllocation
  ? { rounds: 3, warmUp: 3, count: 80, windowOf: allocationWindow }
  : isQuick
    ? { rounds: 5, warmUp: 2, count: 80, windowOf: timeWindow }
    : { rounds: 11, warmUp: 3, count: 240, windowOf: timeWindow }

/** Samples by client of one call. */
const samplesOf = async (makers, call, concurrency) => {
  const made = Object.entries(makers).map(([name, make]) => [name, make(endpoint)])
  const cases = made.map(([name, client]) => ({ name, run: client.prepare(call) }))
  const { count, rounds, warmUp, windowOf } = settings
  const window = windowOf(count)
  const samples = await byTurns(cases, { rounds, warmUp, count, concurrency, window })
  for (const [, client] of made) await client.close()
  return samples
}

const concurrencies = [1, 8]
const batch = calls.at(-1)

const tables = [
  ...concurrencies.flatMap((concurrency) =>
    calls.map((call) => ({
      title: `${call.name}, ${concurrency === 1 ? "one at a time" : `${concurrency} at a time`}`,
      makers: clients,
      call,
      concurrency
    }))
  ),
  {
    title: `${batch.name}, one at a time, this client over undici`,
    makers: variants,
    call: batch,
    concurrency: 1
  }
]

/** Allocations measured by child processes, by table and client. */
const allocations = async () => {
  const child = fork(fileURLToPath(import.meta.url), ["--allocation"], {
    execArgv: [
      "--expose-gc",
      "--no-warnings",
      "--min-semi-space-size=256",
      "--max-semi-space-size=256"
    ]
  })
  const [found] = await once(child, "message")
  return found
}

if (isAllocation) {
  const found = []
  for (const { call, concurrency, makers } of tables) {
    const samples = await samplesOf(makers, call, concurrency)
    found.push(
      Object.fromEntries(
        [...samples].map(([name, all]) => [
          name,
          spread(all.map(({ kilobytes }) => kilobytes).filter((one) => !Number.isNaN(one))).median
        ])
      )
    )
  }
  process.send(found)
} else {
  console.log(
    `Node ${process.version}, ${availableParallelism()} × ${cpus()[0]?.model}; median of ${settings.rounds} rounds (quartiles), ${settings.count} calls each`
  )
  const allocated = await allocations()
  for (const [place, { call, concurrency, makers, title }] of tables.entries()) {
    const samples = await samplesOf(makers, call, concurrency)
    const sdk = samples.get(sdkName)
    const floor = samples.get(floorName)
    console.log(`\n${title}`)
    console.table(
      Object.fromEntries(
        [...samples].map(([name, all]) => [
          name,
          {
            "CPU of the SDK's": shown(ratio(all, sdk, "cpu")),
            "of the floor's": ratio(all, floor, "cpu").median.toFixed(2),
            "wall of the SDK's": shown(ratio(all, sdk, "wall")),
            "CPU, ms": spread(all.map(({ cpu }) => cpu)).median.toFixed(3),
            "wall, ms": spread(all.map(({ wall }) => wall)).median.toFixed(3),
            "allocated, kB": allocated[place][name]?.toFixed(0)
          }
        ])
      )
    )
  }
}
server.kill()
process.disconnect?.()
