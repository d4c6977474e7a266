/**
 * The service with its ledger in a file, and with a reporter.
 *
 *     AWS_REGION=us-east-1 API_KEY=secret CUSTOMER=111122223333 npx tsx examples/meter-http/main.ts
 */
import { createServer } from "node:http"
import { HttpApiBuilder } from "@effect/platform"
import { NodeHttpServer, NodeRuntime } from "@effect/platform-node"
import { Config, Effect, Layer } from "effect"
import { MeteringClient } from "effect-marketplace-metering"
import { SqliteLedgerStore, UsageLedger, UsageReporter } from "effect-marketplace-metering/ledger"
import * as Node from "effect-marketplace-metering/node"
import { ApiLive, products } from "./service.js"

const ServiceLive = Layer.unwrapEffect(
  Effect.gen(function* () {
    const key = yield* Config.string("API_KEY")
    const customerAWSAccountId = yield* Config.string("CUSTOMER")
    const id = `documents-${customerAWSAccountId}`
    const Subscribed = Layer.effectDiscard(
      UsageLedger.subscribe({ id, product: "documents", customerAWSAccountId })
    )
    return HttpApiBuilder.serve().pipe(
      Layer.provide(ApiLive(new Map([[key, id]]))),
      Layer.merge(Subscribed),
      Layer.merge(UsageReporter.layer())
    )
  })
)

ServiceLive.pipe(
  Layer.provide(NodeHttpServer.layer(createServer, { port: 3000 })),
  Layer.provide(UsageLedger.layer({ seller: "acme", target: "service", products })),
  Layer.provide(SqliteLedgerStore.layer({ file: "usage.db" })),
  Layer.provide(MeteringClient.layer.pipe(Layer.provide(Node.layer))),
  Layer.launch,
  NodeRuntime.runMain
)
