/** Output for a person. */
import { Console, Effect } from "effect"
import { type HourlyUsage, prove } from "./proof.js"

export const heading = (text: string) => Console.log(`\n${text}`)

export const fact = (text: string) => Console.log(`  ${text}`)

/** Columns as wide as their longest cell, below a line of titles. */
export const table = (rows: ReadonlyArray<ReadonlyArray<string>>) => {
  const widths = (rows[0] ?? []).map((_, i) => Math.max(...rows.map((row) => row[i]?.length ?? 0)))
  return Effect.forEach(
    rows,
    (row) => {
      const cells = row.map((cell, i) => cell.padEnd(widths[i] ?? 0))
      return fact(cells.join("  ").trimEnd())
    },
    { discard: true }
  )
}

/** Prints whether the sources are the same. If not, the process will exit with 1. */
export const printProof = (sources: { readonly [source: string]: ReadonlyArray<HourlyUsage> }) =>
  Effect.gen(function* () {
    yield* heading("Proof")
    const { differences, entries, units } = prove(sources)
    for (const [source, total] of Object.entries(units)) {
      yield* fact(`${total.toLocaleString("en-US")} units ${source}`)
    }
    if (differences.length === 0) {
      return yield* fact(
        `${Object.keys(sources).join(" = ")}: the same in each of ${entries} sums by customer, dimension and hour`
      )
    }
    for (const difference of differences) yield* fact(difference)
    yield* fact(`not the same: ${differences.length} of ${entries} sums differ`)
    process.exitCode = 1
  })
