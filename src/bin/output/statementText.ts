/** Formats the lines of a statement as text and as CSV. */
import type { LedgerReport } from "../../ledger/index.js"
import { csvLine } from "./csvLine.js"
import { formatTime, printable } from "./format.js"
import { type Cell, table } from "./table.js"

const columns = [
  "hour",
  "product",
  "subscription",
  "dimension",
  "state",
  "recorded",
  "quantity",
  "events",
  "deadline",
  "meteringRecordId",
  "attempts",
  "lastResult",
  "requestId"
] as const

const cellsOf = (line: LedgerReport.StatementLine): ReadonlyArray<Cell> => {
  const last = line.attempts.flatMap(({ results }) => results).at(-1)
  return [
    formatTime(line.hour),
    line.product,
    line.subscription,
    line.dimension,
    line.state,
    line.recorded,
    line.quantity ?? "",
    line.events,
    line.deadline === undefined ? "" : formatTime(line.deadline),
    line.meteringRecordId ?? "",
    line.attempts.length,
    last?.result ?? "",
    last?.requestId ?? ""
  ]
}

/** Prefixes a cell that a spreadsheet would run as a formula with an apostrophe. */
const inert = (cell: string) => (/^[=+@\t\r-]/.test(cell) ? `'${cell}` : cell)

export const csvHeader = csvLine(columns)

export const csvOf = (line: LedgerReport.StatementLine): string =>
  csvLine(cellsOf(line).map((cell) => (typeof cell === "number" ? String(cell) : inert(cell))))

/** Indexes of the columns in the table: those that fit and that people read. */
const shown = [0, 3, 4, 5, 6, 9, 10]

const isUsual = ({ attempts, moves, state }: LedgerReport.StatementLine) =>
  (state === "accepted" && attempts.length === 1 && moves.length <= 2) ||
  state === "open" ||
  state === "zero"

/** Describes the state changes of an entry, and then its attempts, each in the order of time. */
const evidenceOf = (line: LedgerReport.StatementLine): ReadonlyArray<string> => [
  `${formatTime(line.hour)} ${line.dimension}, ${line.state}${line.deadline === undefined ? "" : `, deadline ${formatTime(line.deadline)}`}`,
  ...line.moves.map(
    ({ at, became, cause, was }) =>
      `  ${formatTime(at)}  ${was === undefined ? "" : `${was} -> `}${became}: ${cause}`
  ),
  ...line.attempts.map(({ results, sentAt, worker }) => {
    const texts = results.map(({ detail, requestId, result }) =>
      [result, detail, requestId === undefined ? undefined : `request ${requestId}`]
        .filter((part) => part !== undefined)
        .join(", ")
    )
    return `  ${formatTime(sentAt)}  sent by ${worker}: ${texts.length === 0 ? "no response" : texts.join("; ")}`
  })
]

/** Formats lines as a table, followed by the whole history of those that were not simply accepted. */
export const textOf = (lines: ReadonlyArray<LedgerReport.StatementLine>): string => {
  const rows = lines.map((line) => {
    const cells = cellsOf(line)
    return shown.map((column) => cells[column] ?? "")
  })
  const evidence = lines.filter((line) => !isUsual(line)).map(evidenceOf)
  return [
    table(
      shown.map((column) => columns[column] ?? ""),
      rows
    ),
    ...evidence.map((texts) => texts.map(printable).join("\n"))
  ].join("\n\n")
}
