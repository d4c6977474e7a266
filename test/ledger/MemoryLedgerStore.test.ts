import { MemoryLedgerStore } from "effect-marketplace-metering/ledger"
import { storeContract } from "./storeContract.js"
import { makeStoreTest } from "./support/storeTest.js"

storeContract(
  "MemoryLedgerStore",
  makeStoreTest(() => MemoryLedgerStore.layer)
)
