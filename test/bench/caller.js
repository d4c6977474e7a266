// Makes the calls of `bench:load` by one client in a child process, for the time of each order.
import { createHistogram } from "node:perf_hooks"
import { setTimeout } from "node:timers/promises"
import {
  BatchMeterUsageCommand,
  MarketplaceMeteringClient
} from "@aws-sdk/client-marketplace-metering"
import { NodeHttpClient } from "@effect/platform-node"
import { Effect, Layer, ManagedRuntime } from "effect"
import { AwsCredentials, MeteringClient, MeteringConfig } from "effect-marketplace-metering"
import { MeteringSandbox } from "effect-marketplace-metering/sandbox"
import { credentials, customers, inputAt, region, requestAt, scenario } from "./batch.js"

const [name, time, endpoint] = process.argv.slice(2)

/** Nanoseconds from the call to its answer, of this slice and of all slices. */
const latencies = createHistogram()
const allLatencies = createHistogram()

/** Whatever is not a success of all records ends the process. */
const seen = (start, results, status) => {
  latencies.record(Math.max(1, Math.round((performance.now() - start) * 1e6)))
  const billed = results.filter((result) => result[status] === "Success").length
  if (billed !== customers.length) throw new Error(`${billed} records of a call were billed`)
}

// ---------------------------------------------------------------------------------------------------
// clients: nothing that a call does is done before it, but to make the objects that it is given
// ---------------------------------------------------------------------------------------------------

const over = (layer) => () => {
  const runtime = ManagedRuntime.make(layer)
  const request = requestAt(Number(time))
  const once = Effect.suspend(() => {
    const start = performance.now()
    return Effect.map(MeteringClient.batchMeterUsage(request), ({ results }) =>
      seen(start, results, "status")
    )
  })
  return (until) =>
    runtime.runPromise(Effect.repeat(once, { while: () => performance.now() < until }))
}

const official = () => {
  const client = new MarketplaceMeteringClient({ region, endpoint, credentials })
  const input = inputAt(Number(time))
  return async (until) => {
    do {
      const start = performance.now()
      const { Results } = await client.send(new BatchMeterUsageCommand(input))
      seen(start, Results, "Status")
    } while (performance.now() < until)
  }
}

const clients = {
  undici: over(
    MeteringClient.layer.pipe(
      Layer.provide([
        MeteringConfig.layer({ region, endpoint }),
        AwsCredentials.layerStatic(credentials),
        NodeHttpClient.layerUndici
      ])
    )
  ),
  sdk: official,
  memory: over(MeteringSandbox.layer(scenario))
}

// ---------------------------------------------------------------------------------------------------
// orders
// ---------------------------------------------------------------------------------------------------

const callUntil = clients[name]()

const milliseconds = (histogram) => ({
  p50: histogram.percentile(50) / 1e6,
  p99: histogram.percentile(99) / 1e6,
  max: histogram.max / 1e6
})

const orders = {
  /** Calls, seconds, microseconds of CPU, milliseconds of latency. */
  call: async ({ callers, isWarmUp, seconds }) => {
    latencies.reset()
    const cpu = process.cpuUsage()
    const start = performance.now()
    const until = start + seconds * 1000
    await Promise.all(Array.from({ length: callers }, () => callUntil(until)))
    const took = (performance.now() - start) / 1000
    const { system, user } = process.cpuUsage(cpu)
    if (!isWarmUp) allLatencies.add(latencies)
    return { calls: latencies.count, seconds: took, cpu: user + system, ...milliseconds(latencies) }
  },
  /** Bytes after collections. Pages go back to the system a while after they are free. */
  memory: async () => {
    for (let i = 0; i < 4; i++) {
      await setTimeout(500)
      globalThis.gc()
    }
    const { heapUsed, rss } = process.memoryUsage()
    return { heap: heapUsed, rss }
  },
  latency: () => milliseconds(allLatencies)
}

process.on("message", async ({ order, ...options }) => process.send(await orders[order](options)))
process.on("disconnect", () => process.exit())
process.send("ready")
