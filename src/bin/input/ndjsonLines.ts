/** Splits UTF-8 bytes into lines. A line is emitted at its line end, or at the end of the input if no read error occurred. */
import { formatCount } from "../output/format.js"
import * as limits from "./limits.js"
import { type Scanner, type Step, withUnreadLine } from "./scanner.js"

export interface Line {
  readonly line: number
  /** The text of the line, or its beginning if it is too long. */
  readonly text: string
  /** The exceeded limit, if the line is too long. */
  readonly tooLong: string | undefined
}

const lf = 10

const tooLong = `the line is longer than ${formatCount(limits.rowBytes)} bytes`

export const make = (): Scanner<Uint8Array, Line> => {
  let line = 1
  let pieces: Array<Uint8Array> = []
  let length = 0
  let beginning: string | undefined

  const append = (bytes: Uint8Array) => {
    if (beginning !== undefined) return
    pieces.push(bytes)
    length += bytes.length
    if (length <= limits.rowBytes) return
    beginning = Buffer.concat(pieces, limits.excerptBytes).toString()
    pieces = []
  }

  const next = (): Line => {
    const text = beginning ?? Buffer.concat(pieces).toString()
    const result: Line = {
      line,
      text: (line === 1 ? text.replace(/^\ufeff/, "") : text).replace(/\r$/, ""),
      tooLong: beginning === undefined ? undefined : tooLong
    }
    line += 1
    pieces = []
    length = 0
    beginning = undefined
    return result
  }

  return {
    push: (input): Step<Line> => {
      const out: Array<Line> = []
      let from = 0
      for (let to = input.indexOf(lf); to !== -1; to = input.indexOf(lf, from)) {
        append(input.subarray(from, to))
        out.push(next())
        from = to + 1
      }
      append(input.subarray(from))
      return { out }
    },
    end: () => ({ out: length === 0 ? [] : [next()] }),
    mapReadError: (error) => withUnreadLine(line)(error)
  }
}
