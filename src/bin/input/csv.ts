/**
 * CSV as in RFC 4180, from bytes of UTF-8. A row is one when its line end was read, or a clean end of the input: it is
 * given at once then, and never before.
 *
 * The delimiter is the first of comma, semicolon and tab in the first line, which may be `sep=;` as in Excel: names of
 * columns have none of them, and spreadsheets write each, by their language. Lines end with LF or CRLF; with CR where the first line ends with CR alone.
 */
import { CliError, cannotRun } from "../internal/cliError.js"
import * as limits from "./limits.js"
import type { Scanner, Step } from "./scanner.js"

export interface Line {
  /** Where it begins and where it ends, from 1: a cell in quotes may have line breaks. */
  readonly line: number
  readonly lastLine: number
  /** Of a row that is too long, its beginning only, in one cell. */
  readonly cells: ReadonlyArray<string>
  readonly delimiter: string
  readonly tooLong: string | undefined
}

const lf = 10
const cr = 13
const quote = 34
const comma = 44
const semicolon = 59
const tab = 9
const byteOrderMark = [0xef, 0xbb, 0xbf]

/** Where in a cell a byte is. */
const start = 0
const plain = 1
const quoted = 2
/** Behind a quote in quotes: the end of them, or the first of two. */
const closed = 3
/** Behind those and a CR: a line end has to follow. */
const closedByCr = 4

const none = Buffer.alloc(0)

/** `name` is what the bytes are of, in errors. */
export const make = (name: string): Scanner<Uint8Array, Line> => {
  let delimiter: number | undefined
  /** Undecided in the first line. */
  let lineEnd: number | undefined
  /** The first line was ended by a CR, if no LF follows. */
  let isCrPending = false
  let state = start
  let hasEscapes = false
  let line = 1
  let rowLine = 1
  let quoteLine = 1
  let cells: Array<string> = []
  let cellNumber = 1
  /** The cell as far as it was read. */
  let pieces: Array<Buffer> = []
  let tooLong: string | undefined
  let beginning = ""
  /** Bytes of earlier input, and of those before row and cell. */
  let bytesBefore = 0
  let rowStart = 0
  let cellStart = 0
  let failure: CliError | undefined

  const unreadMessage = () =>
    `Line ${limits.formatCount(rowLine)} and what follows it was not read.`

  const fail = (line: number, message: string) => {
    failure = cannotRun(`${name}:${line}: ${message} ${unreadMessage()}`)
  }

  const delimiterText = () => String.fromCharCode(delimiter ?? comma)

  /** Adds bytes to the cell, up to a limit. */
  const append = (bytes: Buffer, from: number, to: number) => {
    if (tooLong !== undefined) return
    if (to > from) pieces.push(bytes.subarray(from, to))
    const end = bytesBefore + to
    if (end - cellStart > limits.cellBytes) {
      tooLong = `cell ${cellNumber} is longer than ${limits.formatCount(limits.cellBytes)} bytes`
    } else if (end - rowStart > limits.rowBytes) {
      tooLong = `the row is longer than ${limits.formatCount(limits.rowBytes)} bytes`
    } else return
    const cell = Buffer.concat(pieces, limits.excerptBytes).toString()
    beginning = [...cells, cell].join(delimiterText()).slice(0, limits.excerptBytes)
    cells = []
    pieces = []
  }

  const textOfCell = (isLast: boolean): string => {
    const bytes = pieces.length === 1 ? (pieces[0] as Buffer) : Buffer.concat(pieces)
    // of a line end that is CRLF
    const isCrLf = isLast && bytes.at(-1) === cr
    const text = bytes.toString(
      "utf8",
      0,
      bytes.length - (isCrLf ? 1 : 0) - (state < closed ? 0 : 1)
    )
    return hasEscapes ? text.replaceAll('""', '"') : text
  }

  const endCell = (bytes: Buffer, from: number, to: number, isLast: boolean) => {
    append(bytes, from, to)
    if (tooLong === undefined) cells.push(textOfCell(isLast))
    cellNumber += 1
    pieces = []
    state = start
    hasEscapes = false
  }

  /** Adds the row to `out`, but for a line of nothing. */
  const endRow = (out: Array<Line>, bytes: Buffer, from: number, to: number) => {
    const isPlain = state < quoted
    endCell(bytes, from, to, true)
    if (tooLong !== undefined || !isPlain || cells.length > 1 || cells[0] !== "") {
      out.push({
        line: rowLine,
        lastLine: line,
        cells: tooLong === undefined ? cells : [beginning],
        delimiter: delimiterText(),
        tooLong
      })
    }
    cells = []
    cellNumber = 1
    tooLong = undefined
    line += 1
    rowLine = line
  }

  const isDelimiter = (byte: number) =>
    delimiter === undefined
      ? byte === comma || byte === semicolon || byte === tab
      : byte === delimiter

  const failAfterQuote = () =>
    fail(
      line,
      `cell ${cellNumber}, whose quote opens in line ${limits.formatCount(quoteLine)}, goes on behind its closing quote. Write each quote inside of a cell twice.`
    )

  const push = (input: Uint8Array): Step<Line> => {
    const bytes = Buffer.from(input.buffer, input.byteOffset, input.length)
    const out: Array<Line> = []
    let i = 0
    // bytes of UTF-8 are these at the beginning only if they are the mark
    while (i < bytes.length && bytes[i] === byteOrderMark[bytesBefore + i]) i++
    let from = i
    if (i > 0) rowStart = cellStart = bytesBefore + i
    /** The row ended before `to`, and the next begins at `next`. */
    const nextRow = (to: number, next: number) => {
      endRow(out, bytes, from, to)
      from = next
      rowStart = cellStart = bytesBefore + next
    }
    for (; i < bytes.length && failure === undefined; i++) {
      const byte = bytes[i] as number
      if (isCrPending) {
        isCrPending = false
        lineEnd = byte === lf ? lf : cr
        if (lineEnd === cr) nextRow(i, i)
      }
      if (state === quoted) {
        if (byte === quote) state = closed
        else if (byte === (lineEnd ?? lf)) line += 1
      } else if (byte === lf && lineEnd !== cr) {
        lineEnd = lf
        nextRow(i, i + 1)
      } else if (byte === cr && lineEnd !== lf) {
        if (lineEnd === cr) nextRow(i, i + 1)
        else isCrPending = true
      } else if (state === closedByCr) {
        failAfterQuote()
      } else if (isDelimiter(byte)) {
        delimiter = byte
        endCell(bytes, from, i, false)
        from = i + 1
        cellStart = bytesBefore + from
      } else if (byte === quote) {
        if (state === start) {
          state = quoted
          quoteLine = line
          from = i + 1
        } else if (state === closed) {
          state = quoted
          hasEscapes = true
        } else {
          fail(
            line,
            `cell ${cellNumber} has a quote, and is not in quotes. Put it in quotes, and write each quote inside of it twice.`
          )
        }
      } else if (state === start) {
        state = plain
      } else if (state === closed) {
        if (byte === cr) state = closedByCr
        else failAfterQuote()
      }
    }
    if (failure === undefined) append(bytes, from, bytes.length)
    bytesBefore += bytes.length
    return { out, failure }
  }

  const end = (): Step<Line> => {
    if (state === quoted) {
      fail(
        quoteLine,
        `the quote that opens here, in cell ${cellNumber}, does not close. Close it; quotes inside of a cell are written twice.`
      )
    }
    const out: Array<Line> = []
    if (failure === undefined) endRow(out, none, 0, 0)
    return { out, failure }
  }

  return {
    push,
    end,
    mapReadError: ({ exitCode, message }) =>
      new CliError({ exitCode, message: `${message} ${unreadMessage()}` })
  }
}
