/**
 * Parses CSV (RFC 4180) from UTF-8 bytes. A row is emitted at its line end, or at the end of the input if no read error
 * occurred.
 *
 * The delimiter is the first comma, semicolon or tab in the first line, because spreadsheets choose it by language. Column
 * names contain none of these. The first line may also be `sep=;`, as in Excel. Lines end with LF or CRLF, or with CR if the
 * first line does.
 */
import { type CliError, cannotRun } from "../internal/cliError.js"
import { formatCount } from "../output/format.js"
import * as limits from "./limits.js"
import { type Scanner, type Step, withUnreadLine } from "./scanner.js"

export interface Line {
  /** The first and the last line number, from 1. They differ if a quoted cell contains line breaks. */
  readonly line: number
  readonly lastLine: number
  /** The cells, or one cell with the beginning of the row if it is too long. */
  readonly cells: ReadonlyArray<string>
  readonly delimiter: string
  /** The exceeded limit, if the row is too long. */
  readonly tooLong: string | undefined
}

const lf = 10
const cr = 13
const quote = 34
const comma = 44
const semicolon = 59
const tab = 9
const byteOrderMark = [0xef, 0xbb, 0xbf]

/** States of the scanner within a cell. */
const start = 0
const plain = 1
const quoted = 2
/** After a quote in a quoted cell: the closing quote, or the first quote of an escaped one. */
const closed = 3
/** After the closing quote and a CR: a line end must follow. */
const closedByCr = 4

const none = Buffer.alloc(0)

/** Makes a scanner of CSV. `name` is the source in error messages. */
export const make = (name: string): Scanner<Uint8Array, Line> => {
  let delimiter: number | undefined
  /** The last byte of a line end. `undefined` in the first line. */
  let lineEnd: number | undefined
  /** True after a CR in the first line. It is the line end if no LF follows. */
  let isCrPending = false
  let state = start
  let hasEscapes = false
  let line = 1
  let rowLine = 1
  let quoteLine = 1
  let cells: Array<string> = []
  let cellNumber = 1
  /** The parts of the current cell that were read so far. */
  let pieces: Array<Buffer> = []
  let tooLong: string | undefined
  let beginning = ""
  /** Offsets in the source of the current input, row and cell. */
  let bytesBefore = 0
  let rowStart = 0
  let cellStart = 0
  let failure: CliError | undefined

  const fail = (line: number, message: string) => {
    failure = withUnreadLine(rowLine)(cannotRun(`${name}:${line}: ${message}`))
  }

  const delimiterText = () => String.fromCharCode(delimiter ?? comma)

  /** Adds bytes to the cell, up to the limits. */
  const append = (bytes: Buffer, from: number, to: number) => {
    if (tooLong !== undefined) return
    if (to > from) pieces.push(bytes.subarray(from, to))
    const end = bytesBefore + to
    if (end - cellStart > limits.cellBytes) {
      tooLong = `cell ${cellNumber} is longer than ${formatCount(limits.cellBytes)} bytes`
    } else if (end - rowStart > limits.rowBytes) {
      tooLong = `the row is longer than ${formatCount(limits.rowBytes)} bytes`
    } else return
    const cell = Buffer.concat(pieces, limits.excerptBytes).toString()
    beginning = [...cells, cell].join(delimiterText()).slice(0, limits.excerptBytes)
    cells = []
    pieces = []
  }

  const textOfCell = (isLast: boolean): string => {
    const bytes = pieces.length === 1 ? (pieces[0] as Buffer) : Buffer.concat(pieces)
    // the CR belongs to a CRLF line end
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

  /** Adds the row to `out`, unless the line is empty. */
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
      `cell ${cellNumber}, whose quote opens in line ${formatCount(quoteLine)}, goes on after its closing quote. Write each quote inside a cell twice.`
    )

  const push = (input: Uint8Array): Step<Line> => {
    const bytes = Buffer.from(input.buffer, input.byteOffset, input.length)
    const out: Array<Line> = []
    let i = 0
    // skips a byte order mark: at the beginning of valid UTF-8, these bytes are nothing else
    while (i < bytes.length && bytes[i] === byteOrderMark[bytesBefore + i]) i++
    let from = i
    if (i > 0) rowStart = cellStart = bytesBefore + i
    /** Ends the row before `to`, and begins the next row at `next`. */
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
            `cell ${cellNumber} has a quote, but is not quoted. Put it in quotes, and write each quote inside it twice.`
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
        `the quote that opens here, in cell ${cellNumber}, does not close. Close it, and write each quote inside a cell twice.`
      )
    }
    const out: Array<Line> = []
    if (failure === undefined) endRow(out, none, 0, 0)
    return { out, failure }
  }

  return {
    push,
    end,
    mapReadError: (error) => withUnreadLine(rowLine)(error)
  }
}
