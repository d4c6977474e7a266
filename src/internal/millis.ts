/**
 * Times in whole milliseconds. A part of one is cut off and never rounded up: that could be another hour, which is
 * billed by itself.
 */
import * as DateTime from "effect/DateTime"
import type { Shape, Struct } from "./shape.js"

/** How far from the epoch a calendar goes, in milliseconds. */
const limit = 8.64e15

export const isInCalendar = (millis: number): boolean => Math.abs(millis) <= limit

/** The milliseconds that seconds of the wire are. Seconds that were written from whole milliseconds are those again. */
export const ofSeconds = (seconds: number): number => {
  const nearest = Math.round(seconds * 1000)
  return nearest / 1000 === seconds ? nearest : Math.floor(seconds * 1000)
}

/** Seconds for the wire. */
export const toSeconds = ({ epochMillis }: DateTime.DateTime): number =>
  Math.floor(epochMillis) / 1000

/** The same time where it is whole. What is no time at all is left as it is. */
export const floor = <A>(time: A): A | DateTime.Utc =>
  DateTime.isDateTime(time) &&
  DateTime.isUtc(time) &&
  Number.isFinite(time.epochMillis) &&
  !Number.isInteger(time.epochMillis)
    ? DateTime.unsafeMake(Math.floor(time.epochMillis))
    : time

/** The fields of a constructor, with a whole time in place of one that is not. */
export const floorField = <Fields extends { readonly timestamp: DateTime.Utc }>(
  fields: Fields
): Fields => {
  // a class is also constructed without fields, to see what it is
  const timestamp = floor(fields.timestamp)
  return timestamp === fields.timestamp ? fields : { ...fields, timestamp }
}

type Floor = (value: unknown) => unknown

const compiled = new WeakMap<Struct, Floor>()

/** Makes the times in a value whole, whoever has put them there. The same value where all are. */
export const floorAll = (shape: Struct): Floor => {
  const known = compiled.get(shape)
  if (known !== undefined) return known
  const made = floorOf(shape) ?? ((value: unknown) => value)
  compiled.set(shape, made)
  return made
}

/** Nothing where there are no times. */
const floorOf = (shape: Shape): Floor | undefined => {
  switch (shape.kind) {
    case "time":
      return floor
    case "list": {
      const element = floorOf(shape.element)
      return (
        element &&
        ((values) => {
          if (!Array.isArray(values)) return values
          const whole = values.map(element)
          return whole.every((value, i) => value === values[i]) ? values : whole
        })
      )
    }
    case "struct": {
      const fields = shape.fields.flatMap(({ name, shape }) => {
        const whole = floorOf(shape)
        return whole === undefined ? [] : [{ name, whole }]
      })
      if (fields.length === 0) return undefined
      return (value) => {
        if (typeof value !== "object" || value === null) return value
        let copy: object | undefined
        for (const { name, whole } of fields) {
          const before = (value as Record<string, unknown>)[name]
          const after = whole(before)
          if (after !== before) {
            copy ??= Object.assign(Object.create(Object.getPrototypeOf(value)), value)
            Object.assign(copy as object, { [name]: after })
          }
        }
        return copy ?? value
      }
    }
  }
  return undefined
}
