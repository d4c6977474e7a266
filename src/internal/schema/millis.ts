/**
 * Times in whole milliseconds. A part of one is cut off and never rounded up: that could be another hour, which is
 * billed by itself.
 */
import * as DateTime from "effect/DateTime"
import type { Shape, StructShape } from "./shape.js"

/** How far from the epoch a calendar goes, in milliseconds. */
const maxEpochMillis = 8.64e15

export const isValidTime = (millis: number): boolean => Math.abs(millis) <= maxEpochMillis

/** The milliseconds that seconds of the wire are. Seconds that were written from whole milliseconds are those again. */
export const fromSeconds = (seconds: number): number => {
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
export const floorTimestamp = <Fields extends { readonly timestamp: DateTime.Utc }>(
  fields: Fields
): Fields => {
  // a class is also constructed without fields, to see what it is
  const timestamp = floor(fields.timestamp)
  return timestamp === fields.timestamp ? fields : { ...fields, timestamp }
}

type Floor = (value: unknown) => unknown

const compiledFloors = new WeakMap<StructShape, Floor>()

/** Makes the times in a value whole, whoever has put them there. The same value where all are. */
export const floorTimes = (shape: StructShape): Floor => {
  const cached = compiledFloors.get(shape)
  if (cached !== undefined) return cached
  const floorValue = floorOf(shape) ?? ((value: unknown) => value)
  compiledFloors.set(shape, floorValue)
  return floorValue
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
          const floored = values.map(element)
          return floored.every((value, i) => value === values[i]) ? values : floored
        })
      )
    }
    case "struct": {
      const fields = shape.fields.flatMap(({ name, shape }) => {
        const floored = floorOf(shape)
        return floored === undefined ? [] : [{ name, whole: floored }]
      })
      if (fields.length === 0) return undefined
      return (value) => {
        if (typeof value !== "object" || value === null) return value
        let copy: object | undefined
        for (const { name, whole: floored } of fields) {
          const before = (value as Record<string, unknown>)[name]
          const after = floored(before)
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
