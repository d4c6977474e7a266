/** A loop that inserts the rows of events, and nothing else: one statement a batch, as the ledger sends it. */
import * as Effect from "effect/Effect"
import pg from "pg"
import { makeId } from "./usage.js"

/** For events without the ledger's sums, checks and triggers. */
export const bareTable = `CREATE TABLE bare_event (
  id text COLLATE "C" PRIMARY KEY, key bigint NOT NULL, hour bigint NOT NULL, at bigint NOT NULL, quantity bigint NOT NULL,
  tags text NOT NULL)`

const text =
  "INSERT INTO bare_event SELECT * FROM unnest($1::text[], $2::bigint[], $3::bigint[], $4::bigint[], $5::bigint[], $6::text[])"

/** Returns a function that inserts events over a connection that no other call uses at the time. */
export const openBare = (url: string) =>
  Effect.gen(function* () {
    const clients: Array<pg.Client> = []
    yield* Effect.addFinalizer(() =>
      Effect.promise(() => Promise.all(clients.map((client) => client.end())))
    )
    const take = Effect.promise(async () => {
      const idle = clients.pop()
      if (idle !== undefined) return idle
      const client = new pg.Client({ connectionString: url })
      await client.connect()
      return client
    })
    const insert = (client: pg.Client, size: number) => {
      const now = Date.now()
      const hour = Math.floor(now / 3_600_000)
      const list = (valueOf: (i: number) => string | number) =>
        `{${Array.from({ length: size }, (_, i) => valueOf(i)).join()}}`
      return Effect.promise(() =>
        client.query({
          name: "bare",
          text,
          values: [
            list(() => makeId("ordered")),
            list((i) => i % 200),
            list(() => hour),
            list(() => now),
            list(() => 1),
            list(() => '""')
          ]
        })
      )
    }
    return (size: number): Effect.Effect<number> =>
      Effect.acquireUseRelease(
        take,
        (client) => Effect.as(insert(client, size), size),
        (client) => Effect.sync(() => clients.push(client))
      )
  })
