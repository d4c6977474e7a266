/**
 * The text form of a state. It consists of a header line, the lines of a snapshot, a line that ends the snapshot, and a line for the
 * changes of each later step. Each line except the header begins with a checksum.
 */
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import { sha256HexSync } from "../model/hash.js"
import { apply, type Change, changesOf, type State } from "../model/state.js"
import { ChangeSchema } from "./changeSchema.js"
import { yieldToEventLoop } from "./slices.js"

/** The content of a line: changes that are applied together. */
const Line = Schema.parseJson(Schema.Array(ChangeSchema))
const encode = Schema.encodeSync(Line)
const decode = Schema.decodeEither(Line, { errors: "first" })

/** The name of the format in the header line. */
const format = "effect-marketplace-metering sandbox"
const version = 5
const header = JSON.stringify({ [format]: version })

const snapshotEnd = '"end of snapshot"'

/** Maximum length of the text for `save` and `replay`, in characters. A state file may be longer. */
export const maxTextLength = 256 * 1024 * 1024

/** Maximum size of a line in bytes. */
const maxLineBytes = maxTextLength

/** Returns the checksum of a line and of all lines before it. Detects changed bytes, and missing, repeated or moved lines. */
const checksumOf = (previous: string, content: string): string =>
  sha256HexSync(previous + content).slice(0, checksumLength)

const checksumLength = 16

/** A line and its checksum, on which the checksum of the next line is based. */
export interface ChecksummedLine {
  readonly line: string
  readonly checksum: string
}

export const withChecksum = (previous: string, content: string): ChecksummedLine => {
  const checksum = checksumOf(previous, content)
  return { line: `${checksum} ${content}\n`, checksum }
}

/** The text of an unchanged initial state. */
export const emptyStateText = `${header}\n${withChecksum(header, snapshotEnd).line}`

/** Encodes changes as the content of a line, without the checksum. */
export const encodeChanges = (changes: ReadonlyArray<Change>): string => encode(changes)

/** Number of characters from which a line of a snapshot is ended. */
const targetLineLength = 16_384

/** Yields the header and the lines of a snapshot, including the line that ends it. */
export function* snapshotLines(state: State): Generator<ChecksummedLine, void> {
  let checksummed: ChecksummedLine = { line: `${header}\n`, checksum: header }
  yield checksummed
  let contents: Array<string> = []
  let length = 0
  for (const one of changesOf(state)) {
    // removes the brackets of the array, because the line has several changes in one array
    const content = encode([one]).slice(1, -1)
    contents.push(content)
    length += content.length
    if (length >= targetLineLength) {
      checksummed = withChecksum(checksummed.checksum, `[${contents.join()}]`)
      yield checksummed
      contents = []
      length = 0
    }
  }
  if (contents.length > 0) {
    checksummed = withChecksum(checksummed.checksum, `[${contents.join()}]`)
    yield checksummed
  }
  yield withChecksum(checksummed.checksum, snapshotEnd)
}

export interface ReplayProgress {
  readonly state: State
  readonly checksum: string
  /** The number of lines that were read. */
  readonly lines: number
  /** True after the line that ends the snapshot. */
  readonly isComplete: boolean
}

const beginReplay = (initial: State): ReplayProgress => ({
  state: apply(initial, { _tag: "Reset" }),
  checksum: header,
  lines: 0,
  isComplete: false
})

/** Applies the changes of a line. `line` does not include the line end. */
const replayLine = (
  progress: ReplayProgress,
  line: string
): Either.Either<ReplayProgress, string> => {
  const { checksum, isComplete, state } = progress
  const lines = progress.lines + 1
  if (lines === 1) {
    return line === header
      ? Either.right({ ...progress, lines })
      : Either.left(unrecognizedFormat(line))
  }
  const invalidLine = (reason: string) => Either.left(`line ${lines}: ${reason}`)
  const content = line.slice(checksumLength + 1)
  const checksummed = withChecksum(checksum, content)
  if (checksummed.line !== `${line}\n`) return invalidLine(checksumMismatch)
  if (content === snapshotEnd && !isComplete) {
    return Either.right({ state, checksum: checksummed.checksum, lines, isComplete: true })
  }
  return Either.match(decode(content), {
    onLeft: () => invalidLine("this is not a change of a sandbox's state"),
    onRight: (changes) =>
      Either.right({
        state: changes.reduce(apply, state),
        checksum: checksummed.checksum,
        lines,
        isComplete
      })
  })
}

const checksumMismatch =
  "its checksum is not that of its text and of the lines before it, so it was damaged or changed by hand"

/**
 * Reads the end of a file. `remainder` is the text after the last line end. It is empty unless the process was killed during a write.
 * Drops an incomplete line, because its call got no response.
 */
const endReplay = (
  progress: ReplayProgress,
  remainder: Uint8Array
): Either.Either<{ readonly progress: ReplayProgress; readonly droppedBytes: number }, string> => {
  if (progress.lines === 0 && remainder.length === 0) return Either.left("it is empty")
  const [text] = Option.toArray(decodeUtf8(remainder))
  if (progress.lines === 0) {
    return Either.left(
      text !== undefined && header.startsWith(text)
        ? incompleteSnapshot(1)
        : unrecognizedFormat(text ?? "")
    )
  }
  if (!progress.isComplete) return Either.left(incompleteSnapshot(progress.lines + 1))
  if (remainder.length === 0) return Either.right({ progress, droppedBytes: 0 })
  const lastLine = text === undefined ? undefined : Either.getRight(replayLine(progress, text))
  if (lastLine !== undefined && Option.isSome(lastLine)) {
    return Either.right({ progress: lastLine.value, droppedBytes: 0 })
  }
  // damaged bytes, or a complete line with another line end, mean that the file was changed and not only truncated
  const isTruncated =
    remainder.every((byte) => byte >= 0x20) &&
    !Option.exists(decodeUtf8(remainder.subarray(0, -1)), (line) =>
      Either.isRight(replayLine(progress, line))
    )
  return isTruncated
    ? Either.right({ progress, droppedBytes: remainder.length })
    : Either.left(`line ${progress.lines + 1}: ${checksumMismatch}`)
}

const decodeUtf8 = (bytes: Uint8Array): Option.Option<string> => {
  try {
    return Option.some(new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes))
  } catch {
    return Option.none()
  }
}

const incompleteSnapshot = (line: number) =>
  `line ${line}: it ends before the state that it begins with is whole`

const unrecognizedFormat = (line: string): string =>
  /^\0/.test(line)
    ? "line 1: it is filled with zero bytes, as after a crash of the machine"
    : line.startsWith(`{"${format}":`)
      ? `line 1: it is a state of another version than ${version}, which alone is read here`
      : "line 1: this is not a sandbox's state"

/** Makes a reader that replays a file from chunks of any size. */
export const makeReader = (initial: State) => {
  let progress = beginReplay(initial)
  let chunks: Array<Uint8Array> = []
  let length = 0
  const push = (bytes: Uint8Array) => {
    chunks.push(bytes)
    length += bytes.length
  }
  const take = (): Uint8Array => {
    const [only = new Uint8Array()] = chunks
    const all = chunks.length > 1 ? Buffer.concat(chunks) : only
    chunks = []
    length = 0
    return all
  }
  return {
    /** Reads the lines that end in a chunk, and keeps the rest for the next chunk. */
    read: (bytes: Uint8Array): Either.Either<void, string> => {
      let from = 0
      for (
        let to = bytes.indexOf(lineEnd);
        to !== -1;
        from = to + 1, to = bytes.indexOf(lineEnd, from)
      ) {
        push(bytes.subarray(from, to))
        const line = Option.getOrElse(decodeUtf8(take()), () => "not text")
        const read = replayLine(progress, line)
        if (Either.isLeft(read)) return Either.left(read.left)
        progress = read.right
      }
      // copies the rest, because the stream of a file reuses its buffer
      push(bytes.slice(from))
      return length > maxLineBytes
        ? Either.left(`line ${progress.lines + 1}: it is longer than any line of a state`)
        : Either.right(undefined)
    },
    end: () => endReplay(progress, take())
  }
}

const lineEnd = 0x0a

/** Encodes a state as text. Fails if the text is longer than `maxTextLength`. */
export const save = (state: State): Effect.Effect<string, string> =>
  Effect.gen(function* () {
    const parts: Array<string> = []
    let length = 0
    let sliceStart = 0
    for (const { line } of snapshotLines(state)) {
      parts.push(line)
      length += line.length
      if (length > maxTextLength) {
        return yield* Effect.fail(
          `The state is too long for one text of at most ${maxTextLength / 1024 ** 2} MiB: keep it in a file, by MeteringSandbox.layerFile or sandbox --state.`
        )
      }
      if (length - sliceStart > sliceLength) {
        sliceStart = length
        yield* yieldToEventLoop
      }
    }
    return parts.join("")
  })

/** Decodes a state from the text of `save`. Fails with a message about the first invalid line. */
export const replay = (initial: State, text: string): Effect.Effect<State, string> =>
  Effect.gen(function* () {
    let progress = beginReplay(initial)
    let from = 0
    let sliceStart = 0
    for (let to = text.indexOf("\n"); to !== -1; from = to + 1, to = text.indexOf("\n", from)) {
      progress = yield* replayLine(progress, text.slice(from, to))
      if (from - sliceStart > sliceLength) {
        sliceStart = from
        yield* yieldToEventLoop
      }
    }
    const remainder = text.slice(from)
    if (progress.lines === 0) return yield* Effect.fail(unrecognizedFormat(remainder))
    return remainder !== "" || !progress.isComplete
      ? yield* Effect.fail("it ends too early")
      : progress.state
  })

/** Number of characters to write or read before yielding to the event loop, which takes a few milliseconds. */
const sliceLength = 65_536
