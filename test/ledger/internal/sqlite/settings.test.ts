import { describe, expect, it } from "@effect/vitest"
import type { LedgerError } from "effect-marketplace-metering/ledger"
import { connect } from "../../../../src/ledger/internal/sqlite/connection.js"
import type { Driver } from "../../../../src/ledger/internal/sqlite/driver.js"
import { applySettings, isWalSafe } from "../../../../src/ledger/internal/sqlite/settings.js"
import { libsql, pretending } from "../../support/libsqlDriver.js"
import { withFolder } from "../../support/withFolder.js"

const apply = (driver: Driver) =>
  withFolder((folder) => {
    const connection = connect(driver, `${folder}/ledger.db`)
    try {
      const journal = applySettings(connection, "ledger.db")
      const read = (name: string) => connection.query(`PRAGMA ${name}`)[0]?.[name]
      return {
        journal,
        journal_mode: read("journal_mode"),
        synchronous: read("synchronous"),
        fullfsync: read("fullfsync"),
        checkpoint_fullfsync: read("checkpoint_fullfsync")
      }
    } finally {
      connection.close()
    }
  })

const errorOf = (run: () => unknown): LedgerError.LedgerConfigError => {
  try {
    run()
  } catch (error) {
    return error as LedgerError.LedgerConfigError
  }
  throw new Error("it did not fail")
}

describe("settings", () => {
  it("flush each commit, with a rollback journal for an older SQLite", () => {
    expect(apply(libsql)).toEqual({
      journal: "truncate",
      journal_mode: "truncate",
      synchronous: 2,
      fullfsync: 1,
      checkpoint_fullfsync: 1
    })
  })

  it("use a write-ahead log for a SQLite without the fault", () => {
    expect(apply(pretending("version", "3.51.3"))).toMatchObject({
      journal: "wal",
      journal_mode: "wal",
      synchronous: 2
    })
  })

  it.each([
    ["synchronous", 1],
    ["fullfsync", 0],
    ["journal_mode", "memory"]
  ])("fail if SQLite reads back another %s", (name, value) => {
    const error = errorOf(() => apply(pretending(name, value)))
    expect(error).toMatchObject({ _tag: "LedgerConfigError", reason: "unsafeSettings" })
    expect(error.message).toContain(String(value))
  })

  it("fail for a SQLite that is too old", () => {
    const error = errorOf(() => apply(pretending("version", "3.37.2")))
    expect(error).toMatchObject({ reason: "unsafeSettings" })
    expect(error.message).toContain("SQLite 3.37.2 is too old")
  })

  it("know the versions whose write-ahead log is safe", () => {
    const safe = ["3.44.6", "3.50.7", "3.51.3", "3.52.0", "3.54.1", "4.0.0"]
    const unsafe = ["3.44.5", "3.45.1", "3.49.9", "3.50.6", "3.51.0", "3.51.2", "3.7.0"]
    expect(safe.filter((version) => !isWalSafe(version))).toEqual([])
    expect(unsafe.filter(isWalSafe)).toEqual([])
  })
})
