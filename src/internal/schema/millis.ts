/**
 * Times in whole milliseconds. Fractions of a millisecond are cut off, never rounded up: rounding could move usage into the
 * next hour, which is billed separately.
 */
import * as DateTime from "effect/DateTime"

/** The maximum of a JavaScript date, before or after the epoch. */
const maxEpochMillis = 8.64e15

export const isValidTime = (millis: number): boolean => Math.abs(millis) <= maxEpochMillis

/** Converts seconds to whole milliseconds. Inverts `toSeconds` exactly, despite floating-point error. */
export const fromSeconds = (seconds: number): number => {
  const nearest = Math.round(seconds * 1000)
  return nearest / 1000 === seconds ? nearest : Math.floor(seconds * 1000)
}

export const toSeconds = ({ epochMillis }: DateTime.DateTime): number =>
  Math.floor(epochMillis) / 1000

/** Cuts a time down to whole milliseconds. Returns whole times, and other values, as they are. */
export const floor = <A>(time: A): A | DateTime.Utc =>
  DateTime.isDateTime(time) &&
  DateTime.isUtc(time) &&
  Number.isFinite(time.epochMillis) &&
  !Number.isInteger(time.epochMillis)
    ? DateTime.unsafeMake(Math.floor(time.epochMillis))
    : time

/** Cuts the timestamp of a constructor's fields down to whole milliseconds. */
export const floorTimestamp = <Fields extends { readonly timestamp: DateTime.Utc }>(
  fields: Fields
): Fields => {
  // may be `undefined`, because `shapeOf` constructs a class without fields
  const timestamp = floor(fields.timestamp)
  return timestamp === fields.timestamp ? fields : { ...fields, timestamp }
}
