/** Checks that bytes are valid UTF-8. No emitted chunk splits a character. Errors name the line and the byte. */
import { isUtf8 } from "node:buffer"
import { cannotRun } from "../internal/cliError.js"
import { formatCount } from "../output/format.js"
import type { Scanner, Step } from "./scanner.js"

const convert =
  'Save it as UTF-8 (a spreadsheet calls it "CSV UTF-8"), or convert it: iconv -f WINDOWS-1252 -t UTF-8.'

/** Messages for other formats, by their first bytes. `undefined` matches any byte but 0. */
const otherFormats: ReadonlyArray<
  readonly [start: ReadonlyArray<number | undefined>, message: string]
> = [
  [[0x1f, 0x8b], "is compressed by gzip. Unpack it first, with gunzip."],
  [
    [0x50, 0x4b, 0x03, 0x04],
    'is a workbook or another archive, not text. Save the sheet as "CSV UTF-8".'
  ],
  ...[
    [0xff, 0xfe],
    [0xfe, 0xff],
    // an ASCII letter, without a byte order mark
    [undefined, 0x00],
    [0x00, undefined]
  ].map(
    (start) =>
      [
        start,
        'is UTF-16, not UTF-8. Save it as UTF-8 (a spreadsheet calls it "CSV UTF-8"), or convert it: iconv -f UTF-16 -t UTF-8.'
      ] as const
  )
]

/** Number of bytes that identify a format. */
const signatureLength = 4

const none = Buffer.alloc(0)

const lf = 10
const cr = 13

/** Returns the number of bytes of an incomplete character at the end. */
const incompleteTail = (bytes: Uint8Array): number => {
  for (let back = 1; back <= Math.min(3, bytes.length); back++) {
    const byte = bytes[bytes.length - back] ?? 0
    if (byte < 0x80 || byte > 0xf4) return 0
    // the first byte of a character of two, three or four bytes
    if (byte >= 0xc0) return (byte >= 0xf0 ? 4 : byte >= 0xe0 ? 3 : 2) > back ? back : 0
  }
  return 0
}

/** Returns the number of valid bytes before the first invalid one. */
const validLength = (bytes: Buffer): number => {
  const pieces = new TextDecoder("utf-8", { ignoreBOM: true }).decode(bytes).split("\ufffd")
  let at = 0
  for (const piece of pieces) {
    at += Buffer.byteLength(piece)
    // the source itself may contain the replacement character
    if (bytes.toString("latin1", at, at + 3) !== "\xef\xbf\xbd") return at
    at += 3
  }
  return at
}

/** Makes a scanner that checks UTF-8. `name` is the source in error messages. */
export const make = (name: string): Scanner<Uint8Array, Uint8Array> => {
  let pending: Buffer = none
  let isFormatChecked = false
  let line = 1
  let isAfterCr = false

  const countLines = (bytes: Uint8Array) => {
    for (let i = 0; i < bytes.length; i++) {
      const byte = bytes[i]
      if (byte === cr || (byte === lf && !isAfterCr)) line += 1
      isAfterCr = byte === cr
    }
  }

  const failAt = (bytes: Buffer, at: number): Step<Uint8Array> => {
    const valid = bytes.subarray(0, at)
    countLines(valid)
    const place = `line ${formatCount(line)}`
    const what =
      at + incompleteTail(bytes) === bytes.length
        ? `it ends in the middle of a character, in ${place}`
        : `${place} has the byte 0x${(bytes[at] ?? 0).toString(16).toUpperCase()}`
    return {
      out: at === 0 ? [] : [valid],
      failure: cannotRun(`${name} is not UTF-8: ${what}. ${convert}`)
    }
  }

  const check = (bytes: Buffer, isEnd: boolean): Step<Uint8Array> => {
    if (!isFormatChecked) {
      const other = otherFormats.find(
        ([start]) =>
          bytes.length >= start.length &&
          start.every((byte, i) => (byte === undefined ? bytes[i] !== 0 : byte === bytes[i]))
      )
      if (other !== undefined) return { out: [], failure: cannotRun(`${name} ${other[1]}`) }
      isFormatChecked = true
    }
    const whole = bytes.subarray(0, bytes.length - (isEnd ? 0 : incompleteTail(bytes)))
    if (!isUtf8(whole)) return failAt(bytes, validLength(whole))
    pending = bytes.subarray(whole.length)
    countLines(whole)
    return { out: whole.length === 0 ? [] : [whole] }
  }

  return {
    push: (input) => {
      const bytes =
        pending.length === 0
          ? Buffer.from(input.buffer, input.byteOffset, input.length)
          : Buffer.concat([pending, input])
      if (isFormatChecked || bytes.length >= signatureLength) return check(bytes, false)
      pending = bytes
      return { out: [] }
    },
    end: () => (pending.length === 0 ? { out: [] } : check(pending, true)),
    mapReadError: (failure) => failure
  }
}
