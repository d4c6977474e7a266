/** Formats the status of a ledger as text. */
import * as DateTime from "effect/DateTime"
import type { LedgerReport } from "../../ledger/index.js"
import { formatFields, formatTime, printable } from "./format.js"
import { table } from "./table.js"

const millisPerHour = 3_600_000

/** Number of hours in the chart of each product. */
export const shownHours = 24

/** Characters for the states of an hour. The most urgent state of an hour, which is the first here, is shown. */
const symbols: ReadonlyArray<
  readonly [symbol: string, label: string, states: ReadonlyArray<LedgerReport.State>]
> = [
  ["!", "not billed", ["conflicting", "notSubscribed", "rejected", "expired"]],
  ["?", "in doubt", ["inDoubt"]],
  ["s", "sealed", ["sealed"]],
  ["r", "recorded", ["open"]],
  ["A", "accepted", ["accepted", "zero"]]
]

/** Formats a chart of the last 24 hours, with one line for each product. */
const hoursOf = (counts: ReadonlyArray<LedgerReport.HourlyCount>, from: number): string => {
  const products = [...new Set(counts.map(({ product }) => product))].sort()
  const width = Math.max(...products.map((name) => printable(name).length))
  const lines = products.map((product) => {
    const own = counts.filter((count) => count.product === product)
    const cells = Array.from({ length: shownHours }, (_, i) => {
      const states = own
        .filter(({ hour }) => DateTime.toEpochMillis(hour) === from + i * millisPerHour)
        .map(({ state }) => state)
      return (
        symbols.find(([, , shown]) => states.some((state) => shown.includes(state)))?.[0] ?? "."
      )
    })
    return `  ${printable(product).padEnd(width)}  ${cells.join("")}`
  })
  const legend = symbols.map(([symbol, label]) => `${symbol} ${label}`).join(", ")
  return [
    `hours from ${formatTime(DateTime.unsafeMake(from))}: . no usage, ${legend}`,
    ...lines
  ].join("\n")
}

/** Describes the pauses and the held hours, one on each line. */
export const heldLines = ({ hold, pauses }: LedgerReport.Status): ReadonlyArray<string> => [
  ...pauses.map(({ cause, product, region, retryAt, since }) =>
    printable(
      `  ${product === "*" ? "all products" : product} in ${region} since ${formatTime(since)}: ${cause}${retryAt === undefined ? "; it ends by ledger recover" : `; tried again at ${formatTime(retryAt)}`}`
    )
  ),
  ...(hold === undefined
    ? []
    : [
        `  hours from ${formatTime(hold.from)} to ${formatTime(hold.until)} are held until ledger recover`
      ])
]

const section = (title: string, text: string) => (text === "" ? [] : [`${title}\n${text}`])

export const describeStatus = (
  status: LedgerReport.Status,
  health: LedgerReport.Health,
  hours: ReadonlyArray<LedgerReport.HourlyCount>,
  from: number
): string =>
  [
    formatFields([
      ["ledger", `of ${status.seller}, for the ${status.target}`],
      ["health", health.state],
      ["next deadline", status.nextDeadline && formatTime(status.nextDeadline)],
      ...status.leases.map(
        ({ holder, region, until }) =>
          [
            `worker in ${region}`,
            holder === undefined ? `none since ${formatTime(until)}` : holder
          ] as const
      )
    ]),
    ...section("reasons", health.reasons.map((reason) => `  ${printable(reason)}`).join("\n")),
    ...(status.counts.length === 0
      ? ["Nothing is recorded yet."]
      : [
          table(
            ["region", "product", "state", "entries", "oldest"],
            status.counts.map(({ count, oldest, product, region, state }) => [
              region,
              product,
              state,
              count,
              formatTime(oldest)
            ])
          )
        ]),
    ...section(
      "carried to the next hour",
      status.carry.length === 0
        ? ""
        : table(
            ["subscription", "dimension", "tags", "units"],
            status.carry.map(({ dimension, lineage, tags, units }) => [
              lineage,
              dimension,
              tags,
              units
            ])
          )
    ),
    ...section("paused", heldLines(status).join("\n")),
    ...(hours.length === 0 ? [] : [hoursOf(hours, from)])
  ].join("\n\n")
