import type { Tables } from "../tables.js"
import { catalogTables } from "./catalogTables.js"
import type { Dialect } from "./dialect.js"
import { readingTables } from "./readingTables.js"
import { reportingTables } from "./reportingTables.js"
import type { SqlSession } from "./session.js"
import { usageTables } from "./usageTables.js"

/** Implements the tables of a ledger in a SQL database, within the session's transaction. */
export const makeTables = (session: SqlSession, dialect: Dialect): Tables => ({
  ...catalogTables(session, dialect),
  ...usageTables(session, dialect),
  ...reportingTables(session, dialect),
  ...readingTables(session, dialect)
})
