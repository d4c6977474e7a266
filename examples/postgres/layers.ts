/** The parts that a seller's processes are made of. The environment names the database and the service. */
import { Config, Layer } from "effect"
import { MeteringClient } from "effect-marketplace-metering"
import { PgLedgerStore, UsageLedger } from "effect-marketplace-metering/ledger"
import * as Node from "effect-marketplace-metering/node"
import { products, seller } from "../support/seller.js"

export const StoreLive = PgLedgerStore.layerConfig({
  url: Config.redacted("DATABASE_URL"),
  schema: Config.withDefault(Config.string("LEDGER_SCHEMA"), "usage_ledger")
})

/** Every process declares the products, so that each may be the first to use the database. */
export const LedgerLive = UsageLedger.layer({ ...seller, products })

/** Region, endpoint and credentials are found as the official SDK finds them. */
export const MeteringLive = MeteringClient.layer.pipe(Layer.provide(Node.layer))
