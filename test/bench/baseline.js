// Requests that were signed before, sent as fast as a server takes them: what they cost here is as little as can be.

import { HttpClient, HttpClientResponse } from "@effect/platform"
import { Undici } from "@effect/platform-node"
import { Effect, Layer } from "effect"
import { AwsCredentials, MeteringClient, MeteringConfig } from "effect-marketplace-metering"
import { credentials, region } from "./batch.js"

/** The request that a call would have sent. */
export const signed = async (call, endpoint) => {
  let caught
  const nowhere = HttpClient.make((request) => {
    caught = request
    return Effect.succeed(HttpClientResponse.fromWeb(request, new Response("{}")))
  })
  const live = MeteringClient.layer.pipe(
    Layer.provide([
      MeteringConfig.layer({ region, endpoint }),
      AwsCredentials.layerStatic(credentials),
      Layer.succeed(HttpClient.HttpClient, nowhere)
    ])
  )
  await Effect.runPromise(call.pipe(Effect.exit, Effect.provide(live)))
  return { path: "/", method: "POST", headers: { ...caught.headers }, body: caught.body.body }
}

/** Sends a request over so many connections, and demands the same length of every answer. */
export const sender = async (endpoint, request, connections) => {
  const pool = new Undici.Pool(endpoint, { connections })
  const first = await pool.request(request)
  const answer = await first.body.text()
  if (first.statusCode !== 200) throw new Error(answer)
  const length = first.headers["content-length"]
  const sendUntil = async (until) => {
    let count = 0
    do {
      const { body, headers, statusCode } = await pool.request(request)
      await body.dump()
      if (statusCode !== 200 || headers["content-length"] !== length) {
        throw new Error(`${statusCode} with ${headers["content-length"]} bytes`)
      }
      count += 1
    } while (performance.now() < until)
    return count
  }
  return {
    answer: JSON.parse(answer),
    /** How many it were, in how many seconds, with how many microseconds of CPU here. */
    send: async (seconds) => {
      const before = process.cpuUsage()
      const start = performance.now()
      const until = start + seconds * 1000
      const counts = await Promise.all(Array.from({ length: connections }, () => sendUntil(until)))
      const took = (performance.now() - start) / 1000
      const { system, user } = process.cpuUsage(before)
      return { requests: counts.reduce((sum, count) => sum + count), took, cpu: user + system }
    },
    close: () => pool.close()
  }
}
