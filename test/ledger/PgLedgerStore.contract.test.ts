import { layer } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { PgLedgerStore } from "effect-marketplace-metering/ledger"
import { Postgres } from "../support/postgres.js"
import { storeContract } from "./storeContract.js"

let schemas = 0

layer(Postgres.layer)("one server", (it) => {
  storeContract("PgLedgerStore", (title, body) =>
    it.scoped(title, () =>
      Effect.gen(function* () {
        const { url } = yield* Postgres
        schemas += 1
        yield* body(
          yield* PgLedgerStore.make({ url: url("postgres"), schema: `contract_${schemas}` })
        )
      })
    )
  )
})
