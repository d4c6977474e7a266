/** The database of the example, and a schema in it that is dropped at the end. */
import { Clock, Config, Effect, Option } from "effect"
import pg from "pg"

const serverOfItsOwn = Effect.gen(function* () {
  const { makePostgres } = yield* Effect.promise(() => import("../../test/support/postgres.js"))
  return yield* (yield* makePostgres()).createDatabase
})

/** That of DATABASE_URL, or else of a new server in a temporary folder. */
export const makeDatabase = Effect.gen(function* () {
  const given = yield* Config.option(Config.string("DATABASE_URL"))
  const url = Option.isSome(given) ? given.value : yield* serverOfItsOwn
  const schema = `example_${yield* Clock.currentTimeMillis}`
  yield* Effect.addFinalizer(() => Effect.promise(() => dropSchema(url, schema)))
  return { url, schema, isGiven: Option.isSome(given) }
})

const dropSchema = async (connectionString: string, schema: string) => {
  const client = new pg.Client({ connectionString })
  await client.connect()
  await client.query(`DROP SCHEMA IF EXISTS ${schema} CASCADE`)
  await client.end()
}
