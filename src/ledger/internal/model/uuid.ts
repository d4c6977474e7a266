/** UUIDs of version 7 (RFC 9562), which sort in the order in which they are made. */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Random from "effect/Random"

const hex = (value: number, digits: number) => value.toString(16).padStart(digits, "0")

/**
 * Makes a generator of increasing ids: 48 bits of milliseconds, 12 bits of a counter, and 62 random bits. If the counter overflows,
 * the time is advanced by a millisecond.
 */
export const makeUuid7 = (): Effect.Effect<string> => {
  let last = 0
  let counter = 0
  return Effect.flatMap(Clock.currentTimeMillis, (now) =>
    Effect.flatMap(Random.nextIntBetween(0, 2 ** 30), (high) =>
      Effect.map(Random.nextIntBetween(0, 2 ** 32), (low) => {
        // a virtual clock may have fractions
        if (Math.floor(now) > last) {
          last = Math.floor(now)
          counter = 0
        } else if (counter === 0xfff) {
          last += 1
          counter = 0
        } else counter += 1
        const time = hex(last, 12)
        const random = hex(high, 8)
        // the variant bits are 10
        const variant = hex(0x8000 | (Number.parseInt(random.slice(0, 4), 16) & 0x3fff), 4)
        return `${time.slice(0, 8)}-${time.slice(8)}-7${hex(counter, 3)}-${variant}-${random.slice(4)}${hex(low, 8)}`
      })
    )
  )
}
