import { expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { vi } from "vitest"
import { event, keyRow, newFile, now, open } from "./support/sqliteFile.js"

/** As strict as better-sqlite3, which needs a compiler: `all` is for statements with a result, `run` for others. */
vi.mock("better-sqlite3", async () => {
  const { default: Libsql } = await import("libsql")
  class Strict extends Libsql {
    override prepare(sql: string) {
      const statement = super.prepare(sql)
      const { reader } = statement
      const only = (isFor: boolean, method: string) => {
        if (reader !== isFor) throw new TypeError(`${method}() is not for ${sql}`)
      }
      return {
        reader,
        all: (...params: ReadonlyArray<unknown>) => {
          only(true, "all")
          return statement.all(...params)
        },
        run: (...params: ReadonlyArray<unknown>) => {
          only(false, "run")
          return statement.run(...params)
        }
      } as never
    }
  }
  return { default: Strict }
})

const [major = 0, minor = 0] = process.versions.node.split(".").map(Number)

const drivers = ["libsql", "better-sqlite3"] as const
const builtIn = major > 22 || (major === 22 && minor >= 16) ? (["node:sqlite"] as const) : []

it.scoped.each([...drivers, ...builtIn])("%s stores and reads what it is given", (driver) =>
  Effect.gen(function* () {
    const file = yield* newFile
    const first = yield* open(file, { driver })
    const second = yield* open(file, { driver })
    const [key] = yield* first.transaction((tables) => tables.addKeys([keyRow("a")]))
    expect(key).toEqual({ id: 1, ...keyRow("a") })
    const events = [event("1", { quantity: Number.MAX_SAFE_INTEGER }), event("2", { tags: "é€😀" })]
    const recorded = { _tag: "Recorded", existing: [] }
    expect(yield* first.recordEvents(events, now)).toEqual(recorded)
    expect(yield* second.recordEvents([...events, event("3")], now)).toEqual({
      _tag: "Recorded",
      existing: events
    })
    yield* first.transaction((tables) =>
      tables.putCarry([{ key: 1, tags: "é€😀", amount: 2n ** 62n }])
    )
    const read = yield* second.snapshot((tables) =>
      Effect.all([tables.carry([1]), tables.entries([event("1")]), tables.events(["2"])])
    )
    expect(read).toMatchObject([
      [{ key: 1, tags: "é€😀", amount: 2n ** 62n }],
      [{ quantity: 2n ** 53n + 1n, events: 3 }],
      [events[1]]
    ])
    yield* first.transaction((tables) =>
      tables.sealEntries([{ key: 1, hour: 490_000, rounding: 0n }])
    )
    expect(yield* second.recordEvents([event("4")], now)).toEqual({
      _tag: "Sealed",
      entries: [{ key: 1, hour: 490_000 }]
    })
    const overflow = { key: 2, hour: 490_000, quantity: Number.MAX_SAFE_INTEGER }
    const batch = Array.from({ length: 513 }, (_, index) => event(`n${index}`, overflow))
    expect(yield* second.recordEvents(batch, now)).toEqual({ _tag: "Overflow" })
    expect(yield* second.recordEvents(batch.slice(0, 2), now)).toEqual(recorded)
  })
)

it.scoped("finds a driver on each version of Node.js", () =>
  Effect.gen(function* () {
    const store = yield* open(yield* newFile, { driver: undefined })
    expect(yield* store.snapshot(({ keys }) => keys({}))).toEqual([])
  })
)
