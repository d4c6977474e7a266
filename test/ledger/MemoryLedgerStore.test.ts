import { MemoryLedgerStore } from "effect-marketplace-metering/ledger"
import { storeContract } from "./storeContract.js"

storeContract("MemoryLedgerStore", () => MemoryLedgerStore.layer)
