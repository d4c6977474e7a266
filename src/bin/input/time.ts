/** Parses the times in files and options. */
import * as Either from "effect/Either"
import * as Schema from "effect/Schema"
import { Time } from "../../sandbox/internal/scenario/scenarioFields.js"

const decodeTime = Schema.decodeUnknownEither(Time)

/** Formats of a time with its zone that databases and programs print. */
const timePattern =
  /^(\d{4}-\d\d-\d\d)[Tt ](\d\d:\d\d(?::\d\d(?:\.\d{1,9})?)?) ?(?:Z|z|UTC|GMT|([+-]\d\d)(?::?(\d\d))?)$/

/** An expected value in error messages. */
export const expectedTime = "a time with its zone, such as 2026-11-25T10:00:00Z"

/** Returns the time, or the text itself if it is not a time. */
export const parseTime = (value: string) => {
  const text = value
    .trim()
    .replace(timePattern, (_, day: string, time: string, hours?: string, minutes = "00") =>
      hours === undefined ? `${day}T${time}Z` : `${day}T${time}${hours}:${minutes}`
    )
  return Either.getOrElse(decodeTime(text), () => value)
}
