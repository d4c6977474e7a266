/** A seller's receiver of events, on loopback: it keeps each request and responds as a test says. */
import type { IncomingHttpHeaders, ServerResponse } from "node:http"
import { Effect, Queue } from "effect"
import { serve } from "../support/loopbackServer.js"

export interface Received {
  readonly path: string
  readonly headers: IncomingHttpHeaders
  readonly body: string
}

export type Respond = (response: ServerResponse, received: Received) => void

export const status =
  (code: number): Respond =>
  (response) => {
    response.statusCode = code
    response.end()
  }

/** A receiver that responds to the first requests in turn, and then with 200. */
export const makeReceiver = (...script: ReadonlyArray<Respond>) =>
  Effect.gen(function* () {
    const requests = yield* Queue.unbounded<Received>()
    const rest = [...script]
    const url = yield* serve((request, response, body) => {
      const received = { path: request.url ?? "", headers: request.headers, body }
      requests.unsafeOffer(received)
      const respond = rest.shift() ?? status(200)
      respond(response, received)
    })
    return { url, requests, next: Queue.take(requests) }
  })
