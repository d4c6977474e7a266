/** Formats rejected rows: the unchanged source with the line and the reason, to be corrected and submitted again. */
import * as Either from "effect/Either"
import * as Predicate from "effect/Predicate"
import { isNote } from "../input/columns.js"
import type { Row, Sheet } from "../input/parseRows.js"
import { csvLine } from "./csvLine.js"

/** Removes the columns that an earlier submission added. */
const withoutNotes = (cells: ReadonlyArray<string>, columns: ReadonlyArray<string>) =>
  cells.filter((_, i) => !isNote(columns[i] ?? ""))

/** Returns the header line of CSV, or an empty text for NDJSON. */
export const formatHeader = (sheet: Sheet): string =>
  sheet.format === "ndjson"
    ? ""
    : csvLine([...withoutNotes(sheet.header, sheet.columns), "line", "reason"], sheet.delimiter)

/** Appended to a row with too few cells. Without it, the missing cells would be read as empty. */
const incompleteNote = "cells were missing: complete the row and remove this cell"

export const formatRow = (rejected: Row<unknown>, reason: string): string =>
  rejected.sheet.format === "csv"
    ? csvRow(rejected.sheet, rejected, reason)
    : ndjsonRow(rejected.sheet, rejected, reason)

/** A row with too few or too many cells is written with too many, so that it is invalid until it is corrected. */
const csvRow = (
  { columns, delimiter }: Sheet & { readonly format: "csv" },
  { line: lineNumber, raw }: Row<unknown>,
  reason: string
) => {
  const cells = typeof raw === "string" ? [raw] : raw
  const width = columns.length
  const missing = Math.max(0, width - cells.length)
  const padded = [...cells.slice(0, width), ...Array.from({ length: missing }, () => "")]
  const extraCells = missing > 0 ? [incompleteNote] : cells.slice(width)
  return csvLine(
    [...withoutNotes(padded, columns), String(lineNumber), reason, ...extraCells],
    delimiter
  )
}

const ndjsonRow = (
  { isValid }: Sheet & { readonly format: "ndjson" },
  { content, line: lineNumber, raw }: Row<unknown>,
  reason: string
) => {
  const text = String(raw)
  const withNotes = (members: ReadonlyArray<string>) =>
    `{${[...members, `"line":${lineNumber}`, `"reason":${JSON.stringify(reason)}`].join(",")}}`
  const unreadable = withNotes([`"unreadable":${JSON.stringify(text)}`])
  if (!isObject(text)) return `${unreadable}\n`
  const members = membersOf(text).filter((member) => !isNote(memberName(member)))
  const object = withNotes(members)
  // a truncated row, or a row without its old notes, could be valid: it is written as `unreadable`
  const becomesValid = Either.isLeft(content) && isValid(object)
  return `${becomesValid ? unreadable : object}\n`
}

const isObject = (text: string): boolean => {
  try {
    return Predicate.isRecord(JSON.parse(text))
  } catch {
    return false
  }
}

const stringOrPunctuation = /"[^"\\]*(?:\\.[^"\\]*)*"|[{}[\],]/g

/** Returns the source text of each member of a JSON object, because parsing would round numbers and drop repeated members. */
const membersOf = (text: string): ReadonlyArray<string> => {
  const members: Array<string> = []
  let depth = 0
  let start = 0
  for (const { 0: token, index } of text.matchAll(stringOrPunctuation)) {
    const isClosing = token === "}" || token === "]"
    if (depth === 1 && (token === "," || isClosing)) members.push(text.slice(start, index).trim())
    if (token === "{" || token === "[") depth += 1
    if (isClosing) depth -= 1
    if (depth === 1 && (token === "," || start === 0)) start = index + 1
  }
  return members.filter((member) => member !== "")
}

const memberName = (member: string): string =>
  JSON.parse(/^"[^"\\]*(?:\\.[^"\\]*)*"/.exec(member)?.[0] ?? '""')
