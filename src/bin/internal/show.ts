/** Answers, for people and for machines. */
import * as DateTime from "effect/DateTime"
import * as Predicate from "effect/Predicate"
import { printable } from "./printable.js"

/** One field a line; those that are not there are left out. */
export const fields = (
  all: ReadonlyArray<readonly [name: string, value: string | number | undefined]>
): string => {
  const there = all.filter(([, value]) => value !== undefined && value !== "")
  const width = Math.max(...there.map(([name]) => name.length))
  return there
    .map(([name, value]) => `${name.padEnd(width)}  ${printable(String(value))}`)
    .join("\n")
}

/** One object on one line, harmless on a terminal. Times are in ISO 8601. */
export const json = (value: object): string => printable(JSON.stringify(value, replaced))

const replaced = (key: string, value: unknown) =>
  key === "_tag" || Predicate.isFunction(value) ? undefined : value

/** To the second, as people write it. */
export const timeOf = (time: DateTime.DateTime): string =>
  DateTime.formatIso(time).replace(/\.000Z$/, "Z")
