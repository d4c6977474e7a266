import * as Fs from "node:fs"
import * as Path from "node:path"
import { inspect } from "node:util"
import { assert, describe, layer } from "@effect/vitest"
import * as Cause from "effect/Cause"
import * as Config from "effect/Config"
import * as ConfigProvider from "effect/ConfigProvider"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import { PgLedgerStore, UsageLedgerStore } from "effect-marketplace-metering/ledger"
import { closedEndpoint } from "../support/loopbackServer.js"
import { makePostgres, Postgres, password } from "../support/postgres.js"
import { makeTcpProxy } from "../support/tcpProxy.js"
import { event, openEntry, record } from "./rows.js"

/** Replaces a text in what passes by another of the same length. */
const replacing = (from: string, to: string) => (bytes: Buffer) => {
  assert.strictEqual(from.length, to.length)
  return Buffer.from(bytes.toString("latin1").replaceAll(from, to), "latin1")
}

const failureOf = (options: PgLedgerStore.Options) =>
  Effect.flip(Effect.scoped(PgLedgerStore.make(options)))

layer(Postgres.layer)("PgLedgerStore", (it) => {
  describe("server", () => {
    it.scoped("rejects a server with fsync off, unless allowed", () =>
      Effect.gen(function* () {
        const server = yield* makePostgres({ fsync: "off" })
        const url = yield* server.createDatabase
        const error = yield* failureOf({ url })
        assert.deepInclude(error, { _tag: "LedgerConfigError", reason: "unsafeSettings" })
        assert.match(error.message, /fsync is off .* allowFsyncOff/)
        yield* PgLedgerStore.make({ url, allowFsyncOff: true })
      })
    )

    it.scoped("rejects a read-only standby", () =>
      Effect.gen(function* () {
        const server = yield* makePostgres()
        yield* server.stop("fast")
        Fs.writeFileSync(Path.join(server.data, "standby.signal"), "")
        yield* server.start
        const error = yield* failureOf({ url: server.url("postgres") })
        assert.deepInclude(error, { _tag: "LedgerConfigError", reason: "unsupportedServer" })
        assert.match(error.message, /is a standby, which is read-only\. .* primary/)
      })
    )

    it.scoped("rejects a version older than 15", () =>
      Effect.gen(function* () {
        const server = yield* Postgres
        const proxy = yield* makeTcpProxy(server.port)
        proxy.toClient = (bytes) =>
          replacing(
            "version_number",
            "version_number"
          )(Buffer.from(bytes.toString("latin1").replace(/\b1[5-9]00\d\d\b/, "140012"), "latin1"))
        const error = yield* failureOf({ url: server.url("postgres", proxy.port) })
        assert.deepInclude(error, { _tag: "LedgerConfigError", reason: "unsupportedServer" })
        assert.match(error.message, /needs 15 or newer/)
      })
    )

    it.scoped("rejects a session in which synchronous_commit stays off", () =>
      Effect.gen(function* () {
        const server = yield* Postgres
        const url = yield* server.createDatabase
        yield* server.sql(url, "ALTER ROLE postgres SET synchronous_commit = off")
        const proxy = yield* makeTcpProxy(server.port)
        proxy.toServer = replacing("IN ('off', 'local')", "IN ('xxx', 'xxxxx')")
        const error = yield* Effect.ensuring(
          failureOf({ url: server.url("postgres", proxy.port) }),
          Effect.orDie(server.sql(url, "ALTER ROLE postgres RESET synchronous_commit"))
        )
        assert.deepInclude(error, { _tag: "LedgerConfigError", reason: "unsafeSettings" })
        assert.match(error.message, /synchronous_commit stays off/)
      })
    )

    it.scoped("commits synchronously where the database's default is otherwise", () =>
      Effect.gen(function* () {
        const server = yield* Postgres
        const url = yield* server.createDatabase
        const name = url.slice(url.lastIndexOf("/") + 1)
        yield* server.sql(
          url,
          `ALTER DATABASE ${name} SET synchronous_commit = off;
           ALTER DATABASE ${name} SET default_transaction_read_only = on;
           ALTER DATABASE ${name} SET default_transaction_isolation = 'serializable'`
        )
        const store = yield* PgLedgerStore.make({ url })
        yield* server.sql(
          url,
          `SET TRANSACTION READ WRITE;
           CREATE TABLE usage_ledger.seen (name text, value text);
           CREATE FUNCTION usage_ledger.see() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
             INSERT INTO usage_ledger.seen SELECT name, current_setting(name) FROM unnest(ARRAY['synchronous_commit',
               'transaction_isolation', 'lock_timeout', 'statement_timeout', 'idle_in_transaction_session_timeout']) AS name;
             RETURN NULL; END $$;
           CREATE TRIGGER see AFTER INSERT ON usage_ledger.usage_event EXECUTE FUNCTION usage_ledger.see()`
        )
        yield* store.recordEvents([event({ id: "a" })], 1)
        const seen = yield* server.sql(url, "SELECT * FROM usage_ledger.seen")
        assert.deepEqual(Object.fromEntries(seen.map(({ name, value }) => [name, value])), {
          synchronous_commit: "on",
          transaction_isolation: "read committed",
          lock_timeout: "10s",
          statement_timeout: "30s",
          idle_in_transaction_session_timeout: "5s"
        })
      })
    )

    it.effect("reads its options from the configuration", () =>
      Effect.gen(function* () {
        const { createDatabase } = yield* Postgres
        const url = yield* createDatabase
        const store = yield* Effect.provide(
          UsageLedgerStore.UsageLedgerStore,
          PgLedgerStore.layerConfig({
            url: Config.redacted("DATABASE_URL"),
            maxConnections: Config.succeed(1)
          }).pipe(
            Layer.provide(
              Layer.setConfigProvider(ConfigProvider.fromMap(new Map([["DATABASE_URL", url]])))
            )
          )
        )
        assert.match(
          store.description.location,
          /^127\.0\.0\.1:\d+\/ledger_\d+, schema usage_ledger$/
        )
      })
    )
  })

  describe("secrets", () => {
    it.effect("keep out of errors and descriptions", () =>
      Effect.gen(function* () {
        const server = yield* Postgres
        const url = yield* server.createDatabase
        const other = "Wr0ng/Secret@Value#99"
        const closed = new URL(yield* closedEndpoint).port
        const urls = [
          url.replace(password, encodeURIComponent(other)),
          `postgresql://postgres:${other}@127.0.0.1:${server.port}/postgres`,
          `postgresql://postgres:12/${other}@127.0.0.1:${server.port}/postgres`,
          `postgresql://postgres:${password}@127.0.0.1:${closed}/postgres`,
          `postgresql://postgres:${password}@127.0.0.1:${server.port}/none`,
          `postgresql://postgres:${password}@127.0.0.1:${server.port}/postgres?sslmode=verify-full`,
          `postgresql://postgres:${password}@127.0.0.1:${server.port}/postgres?sslrootcert=/none/${password}`,
          `postgresql://postgres@127.0.0.1:${closed}/postgres?password=${password}`,
          `mysql://postgres:${password}@127.0.0.1/x`,
          `${password}`,
          `postgresql://postgres:%zz${password}@127.0.0.1/x`
        ]
        for (const [i, one] of urls.entries()) {
          for (const given of [one, Redacted.make(one)]) {
            const exit = yield* Effect.exit(
              Effect.scoped(Effect.withSpan(PgLedgerStore.make({ url: given }), "open"))
            )
            assert.isTrue(Exit.isFailure(exit), `${i}`)
            const cause = Exit.isFailure(exit) ? exit.cause : Cause.empty
            assert.strictEqual(Cause.defects(cause).length, 0, Cause.pretty(cause))
            const texts = [Cause.pretty(cause), inspect(cause, { depth: 20 }), JSON.stringify(exit)]
            for (const secret of [password, other, "Secret", "12/Wr"]) {
              for (const text of texts) assert.notInclude(text, secret, `${i}`)
            }
          }
        }
        const store = yield* Effect.scoped(PgLedgerStore.make({ url }))
        assert.notInclude(inspect(store, { depth: 20, showHidden: true }), password)
      })
    )

    it.scoped("gives each connection the password of that time", () =>
      Effect.gen(function* () {
        const server = yield* Postgres
        const url = yield* server.createDatabase
        let evaluated = 0
        const store = yield* PgLedgerStore.make({
          url: url.replace(password, "expired"),
          password: Effect.sync(() => {
            evaluated += 1
            return Redacted.make(password)
          })
        })
        assert.deepEqual(yield* store.recordEvents([event({ id: "a" })], 1), {
          _tag: "Recorded",
          existing: []
        })
        assert.isAtLeast(evaluated, 2)
        const error = yield* failureOf({
          url,
          password: Effect.fail(new Error(`no token, only ${password}`))
        })
        assert.strictEqual(
          error.message,
          "the ledger is not available: the password of the database could not be determined"
        )
      })
    )
  })

  describe("tables", () => {
    it.scoped("are made once by processes that start at the same time", () =>
      Effect.gen(function* () {
        const server = yield* Postgres
        const url = yield* server.createDatabase
        const stores = yield* Effect.forEach([1, 2, 3, 4], () => PgLedgerStore.make({ url }), {
          concurrency: "unbounded"
        })
        assert.strictEqual(stores.length, 4)
        assert.deepEqual(yield* server.sql(url, "SELECT * FROM usage_ledger.usage_migration"), [
          { version: "1", writable_from: "1" },
          { version: "2", writable_from: "2" }
        ])
      })
    )

    it.scoped("of version 1 are changed to those of version 2", () =>
      Effect.gen(function* () {
        const server = yield* Postgres
        const url = yield* server.createDatabase
        yield* PgLedgerStore.make({ url })
        for (const statement of [
          "ALTER TABLE usage_ledger.usage_lane DROP COLUMN seal_after",
          "DROP INDEX usage_ledger.usage_subscription_license",
          "DELETE FROM usage_ledger.usage_migration WHERE version = 2",
          "INSERT INTO usage_ledger.usage_lane VALUES ('r', 'w', 1, 5)"
        ]) {
          yield* server.sql(url, statement)
        }
        const store = yield* PgLedgerStore.make({ url })
        assert.deepEqual(yield* store.snapshot((tables) => tables.leases), [
          { region: "r", holder: "w", fence: 1, until: 5, sealAfter: 600_000 }
        ])
      })
    )

    it.scoped("of a newer version are used only as far as that version allows", () =>
      Effect.gen(function* () {
        const server = yield* Postgres
        const url = yield* server.createDatabase
        yield* PgLedgerStore.make({ url })
        yield* server.sql(url, "INSERT INTO usage_ledger.usage_migration VALUES (3, 1)")
        yield* PgLedgerStore.make({ url })
        yield* server.sql(url, "INSERT INTO usage_ledger.usage_migration VALUES (4, 4)")
        const error = yield* failureOf({ url })
        assert.deepInclude(error, { _tag: "LedgerConfigError", reason: "newerSchema" })
        assert.match(error.message, /of version 4, .* writes version 2\. Update this program/)
      })
    )

    it.effect("of another application are left alone", () =>
      Effect.gen(function* () {
        const server = yield* Postgres
        const url = yield* server.createDatabase
        yield* server.sql(url, "CREATE TABLE public.usage_event (id int)")
        const error = yield* failureOf({ url, schema: "public" })
        assert.deepInclude(error, { _tag: "LedgerConfigError", reason: "notALedger" })
        assert.match(error.message, /the schema public has tables named usage_/)
        yield* Effect.scoped(PgLedgerStore.make({ url, schema: 'a "ledger"' }))
      })
    )

    it.scoped("need an administrator where the role may not make them", () =>
      Effect.gen(function* () {
        const server = yield* Postgres
        const url = yield* server.createDatabase
        yield* server.sql(url, `CREATE ROLE plain LOGIN PASSWORD '${password}'`)
        const plain = url.replace("//postgres:", "//plain:")
        const error = yield* failureOf({ url: plain })
        assert.deepInclude(error, { _tag: "LedgerConfigError", reason: "notInitialized" })
        const [, cure = ""] = /administrator run: (.*)$/.exec(error.message) ?? []
        yield* server.sql(url, cure)
        yield* PgLedgerStore.make({ url: plain })
        // and with rights on the rows alone
        yield* server.sql(url, "CREATE ROLE rows LOGIN PASSWORD 'rows-password'")
        yield* server.sql(
          url,
          `GRANT USAGE ON SCHEMA usage_ledger TO rows;
           GRANT SELECT, INSERT, UPDATE ON ALL TABLES IN SCHEMA usage_ledger TO rows`
        )
        const store = yield* PgLedgerStore.make({
          url: url.replace(`postgres:${password}`, "rows:rows-password")
        })
        assert.deepEqual(yield* store.recordEvents([event({ id: "a" })], 1), {
          _tag: "Recorded",
          existing: []
        })
      })
    )
  })

  describe("triggers", () => {
    it.scoped("reject SQL that breaks an invariant", () =>
      Effect.gen(function* () {
        const server = yield* Postgres
        const url = yield* server.createDatabase
        const store = yield* PgLedgerStore.make({ url })
        yield* store.recordEvents(
          [event({ id: "a", hour: 1, tags: "t" }), event({ id: "b", hour: 2, tags: "t" })],
          1
        )
        yield* store.transaction((tables) =>
          Effect.gen(function* () {
            yield* tables.putLedger({
              ...{
                version: 1,
                writableFrom: 1,
                seller: "s",
                target: "sandbox",
                incarnation: "i",
                tick: 0
              },
              ...{ holdFrom: undefined, heldUntil: undefined, recoveredAt: undefined }
            })
            const [key] = yield* tables.addKeys([
              { lineage: "l", dimension: "d", scale: 0, region: "r", product: "p" }
            ])
            yield* tables.sealEntries([{ key: 1, hour: 1, rounding: 0n }])
            const [stored] = yield* tables.addRecords([record({ key: 1, hour: 1 })])
            const id = stored?.id ?? 0
            const call = yield* tables.addCall({ region: "r", fence: 1, worker: "w", sentAt: 1 }, [
              id
            ])
            yield* tables.addResults([
              {
                ...{ record: id, call, at: 1, result: "success" },
                ...{ meteringRecordId: "m", requestId: undefined, detail: undefined }
              }
            ])
            yield* tables.updateRecords([
              {
                ...{ id, state: "accepted", tries: 1, nextTryAt: 1, resolvedAt: 1 },
                ...{ meteringRecordId: "m", carriedAt: 5 }
              }
            ])
            yield* tables.addHistory([
              { at: 1, key: 1, hour: 1, was: undefined, became: "sealed", cause: "c" }
            ])
            yield* tables.addPostings(
              [{ key: 1, hour: 2, cause: "adjust", reference: "b", tags: "", quantity: 1n }],
              1
            )
            assert.isDefined(key)
          })
        )
        const rejected: ReadonlyArray<readonly [string, string]> = [
          ["UPDATE usage_entry SET quantity = quantity + 1 WHERE hour = 1", "UL001"],
          ["UPDATE usage_entry SET events = 0 WHERE hour = 1", "UL001"],
          ["UPDATE usage_entry SET sealed = 0 WHERE hour = 1", "UL001"],
          ["UPDATE usage_entry SET rounding = 1 WHERE hour = 1", "UL001"],
          ["UPDATE usage_entry SET hour = 9 WHERE hour = 2", "UL002"],
          ["UPDATE usage_allocation SET quantity = 9 WHERE hour = 1", "UL001"],
          ["INSERT INTO usage_allocation VALUES (1, 1, 'u', 1)", "UL001"],
          ["INSERT INTO usage_posting VALUES ('adjust', 'a', 1, 1, '', 1)", "UL001"],
          ["UPDATE usage_allocation SET hour = 2 WHERE hour = 1", "UL002"],
          ["UPDATE usage_record SET body = '{}'", "UL002"],
          ["UPDATE usage_record SET quantity = 0", "UL002"],
          ["UPDATE usage_record SET deadline = 0", "UL002"],
          ["UPDATE usage_record SET dated_at = 0", "UL002"],
          ["UPDATE usage_record SET state = 'sealed'", "UL002"],
          ["UPDATE usage_record SET carried_at = NULL", "UL002"],
          ["UPDATE usage_event SET quantity = 9", "UL002"],
          ["UPDATE usage_posting SET reference = 'x'", "UL002"],
          ["UPDATE usage_result SET result = 'duplicate'", "UL002"],
          ["UPDATE usage_attempt SET call = 99", "UL002"],
          ["UPDATE usage_call SET sent_at = 0", "UL002"],
          ["UPDATE usage_history SET cause = ''", "UL002"],
          ["UPDATE usage_key SET scale = 3", "UL002"],
          ["UPDATE usage_ledger SET target = 'service'", "UL002"],
          ["UPDATE usage_ledger SET seller = 'other'", "UL002"],
          ...[
            ...["ledger", "key", "event", "posting", "entry", "allocation"],
            ...["record", "call", "attempt", "result", "history"]
          ].flatMap(
            (table): ReadonlyArray<readonly [string, string]> => [
              [`DELETE FROM usage_${table}`, "UL002"],
              [`TRUNCATE usage_${table}`, "UL002"]
            ]
          ),
          // and the constraints
          ["UPDATE usage_entry SET quantity = 4611686018427387905 WHERE hour = 2", "23514"],
          ["INSERT INTO usage_result (record, call, at, result) VALUES (1, 1, 1, 'done')", "23514"],
          ["INSERT INTO usage_ledger SELECT 2, 1, 1, 's', 'sandbox', 'i', 0", "23514"]
        ]
        for (const [text, code] of rejected) {
          const error = yield* Effect.flip(
            server.sql(url, `SET search_path TO usage_ledger; ${text}`)
          )
          assert.strictEqual((error as Error & { code?: string }).code, code, text)
        }
        // what the ledger does stays possible
        yield* server.sql(
          url,
          `SET search_path TO usage_ledger;
           UPDATE usage_entry SET quantity = 5 WHERE hour = 2; UPDATE usage_posting SET quantity = 2;
           UPDATE usage_record SET tries = 2; UPDATE usage_ledger SET tick = 1`
        )
        assert.strictEqual((yield* openEntry(store, 1, 2))?.quantity, 5n)
        const died = yield* Effect.exit(
          store.transaction((tables) => tables.sealEntries([{ key: 1, hour: 1, rounding: 1n }]))
        )
        assert.isTrue(Exit.isFailure(died))
      })
    )
  })
})
