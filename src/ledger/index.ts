/**
 * A ledger of usage: records usage durably, bills each unit once, and keeps the evidence. For Node.js.
 *
 * @since 0.1.0
 */

/**
 * The errors of a ledger.
 *
 * @since 0.1.0
 */
export * as LedgerError from "./LedgerError.js"

/**
 * Metrics of a ledger.
 *
 * @since 0.1.0
 */
export * as LedgerMetrics from "./LedgerMetrics.js"

/**
 * Entries, statements, status and health of a ledger.
 *
 * @since 0.1.0
 */
export * as LedgerReport from "./LedgerReport.js"
/**
 * A store in memory, for tests.
 *
 * @since 0.1.0
 */
export * as MemoryLedgerStore from "./MemoryLedgerStore.js"
/**
 * A ledger in PostgreSQL, for any number of processes.
 *
 * @since 0.1.0
 */
export * as PgLedgerStore from "./PgLedgerStore.js"
/**
 * A ledger in one file, for the processes of one machine.
 *
 * @since 0.1.0
 */
export * as SqliteLedgerStore from "./SqliteLedgerStore.js"

/**
 * Records usage durably and bills each unit once.
 *
 * @since 0.1.0
 */
export * as UsageLedger from "./UsageLedger.js"
/**
 * The storage of a ledger.
 *
 * @since 0.1.0
 */
export * as UsageLedgerStore from "./UsageLedgerStore.js"

/**
 * Reports the recorded usage to AWS.
 *
 * @since 0.1.0
 */
export * as UsageReporter from "./UsageReporter.js"
