/** Rows that were not accepted, as they were written, each with its line and the reason: to be corrected and submitted again. */
import * as Predicate from "effect/Predicate"
import { type Column, columnOf, isNote } from "./columns.js"
import type { Row, Sheet } from "./rows.js"

/** The delimiter is the file's own: the programs that it is for expect that one. */
const line = (cells: ReadonlyArray<string>, delimiter: string) =>
  `${cells.map((cell) => quoted(cell, delimiter)).join(delimiter)}\n`

const quoted = (cell: string, delimiter: string) =>
  /["\r\n]/.test(cell) || cell.includes(delimiter) ? `"${cell.replaceAll('"', '""')}"` : cell

/** Without what an earlier submission has added. */
const own = (cells: ReadonlyArray<string>, columns: ReadonlyArray<Column>) =>
  cells.filter((_, i) => !isNote(columns[i]))

/** The first line, where the format has one. */
export const head = (sheet: Sheet): string =>
  sheet.format === "ndjson"
    ? ""
    : line([...own(sheet.head, sheet.columns), "line", "reason"], sheet.delimiter)

export const row = ({ line: place, sheet, written }: Row, reason: string): string => {
  if (sheet.format === "csv") {
    const cells = typeof written === "string" ? [written] : written
    // of too few or too many cells all are kept, for a person to see, and what is added stays in its columns
    const missing = Math.max(0, sheet.columns.length - cells.length)
    const padded = [...cells, ...Array.from({ length: missing }, () => "")]
    return line([...own(padded, sheet.columns), String(place), reason], sheet.delimiter)
  }
  const text = String(written)
  const members = isObject(text)
    ? membersOf(text).filter((member) => !isNote(columnOf(nameOf(member))))
    : // what is no JSON object is kept as it was, in one that is
      [`"unreadable":${JSON.stringify(text)}`]
  return `{${[...members, `"line":${place}`, `"reason":${JSON.stringify(reason)}`].join(",")}}\n`
}

const isObject = (text: string): boolean => {
  try {
    return Predicate.isRecord(JSON.parse(text))
  } catch {
    return false
  }
}

const structure = /"[^"\\]*(?:\\.[^"\\]*)*"|[{}[\],]/g

/** The members of a JSON object as they were written: to read them would round numbers and drop repeated ones. */
const membersOf = (text: string): ReadonlyArray<string> => {
  const members: Array<string> = []
  let depth = 0
  let start = 0
  for (const { 0: token, index } of text.matchAll(structure)) {
    const isClosing = token === "}" || token === "]"
    if (depth === 1 && (token === "," || isClosing)) members.push(text.slice(start, index).trim())
    if (token === "{" || token === "[") depth += 1
    if (isClosing) depth -= 1
    if (depth === 1 && (token === "," || start === 0)) start = index + 1
  }
  return members.filter((member) => member !== "")
}

/** The name of a member, which stands before it in quotes. */
const nameOf = (member: string): string =>
  JSON.parse(/^"[^"\\]*(?:\\.[^"\\]*)*"/.exec(member)?.[0] ?? '""')
