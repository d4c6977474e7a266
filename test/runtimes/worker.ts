/** Runs the suite in a worker, for each HTTP request to it. */
import * as FetchHttpClient from "@effect/platform/FetchHttpClient"
import * as Effect from "effect/Effect"
import { checks, runChecks } from "./suite.js"

export default {
  fetch: async (request: Request): Promise<Response> => {
    const endpoints = await request.json()
    const results = await Effect.runPromise(runChecks(checks, FetchHttpClient.layer, endpoints))
    return Response.json({ fetch: results })
  }
}
