/** Answers, for people and for machines. */
import * as DateTime from "effect/DateTime"
import * as Predicate from "effect/Predicate"
import { printable } from "./printable.js"

/** One field a line; those that are not there are left out. */
export const formatFields = (
  all: ReadonlyArray<readonly [name: string, value: string | number | undefined]>
): string => {
  const present = all.filter(([, value]) => value !== undefined && value !== "")
  const width = Math.max(...present.map(([name]) => name.length))
  return present
    .map(([name, value]) => `${name.padEnd(width)}  ${printable(String(value))}`)
    .join("\n")
}

/** One object on one line, harmless on a terminal. Times are in ISO 8601. */
export const formatJson = (value: object): string => printable(JSON.stringify(value, replacer))

const replacer = (key: string, value: unknown) =>
  key === "_tag" || Predicate.isFunction(value) ? undefined : value

/** To the second, as people write it. */
export const formatTime = (time: DateTime.DateTime): string =>
  DateTime.formatIso(time).replace(/\.000Z$/, "Z")
