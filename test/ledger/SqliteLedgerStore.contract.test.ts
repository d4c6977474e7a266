import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { SqliteLedgerStore } from "effect-marketplace-metering/ledger"
import { storeContract } from "./storeContract.js"
import { newFile } from "./support/sqliteFile.js"
import { makeStoreTest } from "./support/storeTest.js"

const layer = (driver: SqliteLedgerStore.DriverName | undefined) =>
  Layer.unwrapScoped(Effect.map(newFile, (file) => SqliteLedgerStore.layer({ file, driver })))

storeContract(
  "SqliteLedgerStore with a rollback journal",
  makeStoreTest(() => layer("libsql"))
)
storeContract(
  "SqliteLedgerStore with the default driver",
  makeStoreTest(() => layer(undefined))
)
