/** Tables on the standard output. */

export interface Row {
  readonly [column: string]: string
}

/** Characters of the first column and of the others at least. */
const widths = { first: 32, other: 9 }

/** Returns a function that writes a row at once, the first one below the names of its columns. */
export const makeTable = (): ((row: Row) => void) => {
  let isFirst = true
  return (row) => {
    const columns = Object.keys(row)
    const write = (cells: ReadonlyArray<string>) =>
      print(
        cells
          .map((cell, i) =>
            i === 0
              ? cell.padEnd(widths.first)
              : cell.padStart(Math.max(widths.other, (columns[i] ?? "").length))
          )
          .join("  ")
      )
    if (isFirst) write(columns)
    isFirst = false
    write(Object.values(row))
  }
}

export const print = (line: string): void => {
  process.stdout.write(`${line}\n`)
}

export const whole = (value: number): string => Math.round(value).toLocaleString("en-US")
export const millis = (value: number): string => `${value.toFixed(1)} ms`
export const micros = (value: number): string => `${value.toFixed(1)} µs`
export const ratio = (value: number): string => value.toFixed(2)
export const megabytes = (bytes: number): string => `${whole(bytes / 1e6)} MB`
export const bytes = (count: number): string => `${Math.round(count)} B`
