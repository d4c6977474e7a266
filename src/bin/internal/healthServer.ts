/** Serves the health of a ledger over HTTP, for probes. */
import * as HttpRouter from "@effect/platform/HttpRouter"
import * as HttpServer from "@effect/platform/HttpServer"
import * as HttpServerResponse from "@effect/platform/HttpServerResponse"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { type LedgerReport, UsageLedger } from "../../ledger/index.js"
import * as nodeServer from "../../sandbox/internal/server/nodeServer.js"
import { formatJson } from "../output/format.js"
import { toListenError } from "./listenErrors.js"

/** Time for which the health is cached, so that probes share one query of the database. */
const maxAge = "5 seconds"

/** Time after which a database that does not respond is reported as stuck. */
const timeout = "10 seconds"

const unavailable = (reason: string): LedgerReport.Health => ({
  state: "stuck",
  reasons: [reason]
})

const app = Effect.map(
  Effect.flatMap(UsageLedger.UsageLedger, ({ health }) =>
    Effect.cachedWithTTL(
      health.pipe(
        Effect.timeoutTo({
          duration: timeout,
          onSuccess: (health) => health,
          onTimeout: () => unavailable("the database does not respond")
        }),
        Effect.catchAll(({ message }) => Effect.succeed(unavailable(message)))
      ),
      maxAge
    )
  ),
  (health) =>
    HttpRouter.empty.pipe(
      HttpRouter.get(
        "/health",
        Effect.map(health, (value) =>
          HttpServerResponse.text(formatJson(value), {
            status: value.state === "stuck" ? 503 : 200,
            contentType: "application/json"
          })
        )
      ),
      Effect.catchTag("RouteNotFound", () => HttpServerResponse.empty({ status: 404 }))
    )
)

/** Responds to GET /health with 200, or with 503 if reporting is stuck. Logs the address. */
export const layer = (address: { readonly host: string; readonly port: number }) =>
  Layer.unwrapEffect(Effect.map(app, (app) => HttpServer.serve(app))).pipe(
    Layer.tap(() =>
      HttpServer.addressFormattedWith((url) => Effect.logInfo(`health: ${url}/health`))
    ),
    Layer.provide(nodeServer.layer({ ...address, requestTimeout: "10 seconds" })),
    Layer.mapError(toListenError("The health", address))
  )
