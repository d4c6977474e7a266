/** Runs the example on a database that is given, and that it leaves as it was. */
import { expect, layer } from "@effect/vitest"
import { Effect } from "effect"
import { Postgres } from "../../test/support/postgres.js"
import { runExample } from "../support/runExample.js"

layer(Postgres.layer)("two recorders and two reporters on PostgreSQL", (it) => {
  it.effect(
    "bill what was acknowledged, over the kill of one of each",
    () =>
      Effect.gen(function* () {
        const { createDatabase, sql } = yield* Postgres
        const url = yield* createDatabase
        const { code, errors, output } = yield* runExample("examples/postgres/main.ts", {
          environment: { DATABASE_URL: url }
        })
        expect(output, errors).toContain(
          "acknowledged = recorded = billed: the same in each of 24 "
        )
        expect(output).toMatch(/recorder B: killed by SIGKILL after \d+ acknowledgments/)
        expect(output).toMatch(/reporter [12] sends, and is killed by SIGKILL in a call/)
        expect(output).toMatch(/reporter [12] takes over, and sends [1-9]\d* of them again/)
        expect(output).toContain("every call had the same contents for the same record")
        expect(output).toMatch(/is stopped by SIGTERM, and gives the lease back/)
        expect(code).toBe(0)
        const schemas = yield* sql(
          url,
          "SELECT nspname FROM pg_namespace WHERE nspname ~ 'example'"
        )
        expect(schemas).toEqual([])
      }),
    // a loaded machine takes its time
    600_000
  )
})
