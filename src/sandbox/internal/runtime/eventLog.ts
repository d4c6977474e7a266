/** A state as text: a snapshot, and then a line for all that each step brought. */
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import { OperationName } from "../../../MeteringError.js"
import { UsageAllocation } from "../../../UsageAllocation.js"
import { RandomFault, ScriptedFault } from "../../Fault.js"
import { CallCounts } from "../../Report.js"
import { Customer } from "../../Scenario.js"
import { sha256Hex } from "../model/hash.js"
import { apply, type Change, changesOf, type State } from "../model/state.js"
import { isPrivateKey } from "./signingKey.js"
import { nextTask } from "./slices.js"

const optionalText = Schema.optional(Schema.String)

const ChangeSchema = Schema.Union(
  Schema.TaggedStruct("Metered", {
    key: Schema.String,
    usage: Schema.Struct({
      meteringRecordId: Schema.String,
      operation: OperationName,
      productCode: Schema.String,
      licenseArn: optionalText,
      customerAWSAccountId: Schema.String,
      dimension: Schema.String,
      hour: Schema.Number,
      timestamp: Schema.Number,
      quantity: Schema.Number,
      usageAllocations: Schema.optional(Schema.Array(UsageAllocation)),
      split: Schema.String
    })
  }),
  Schema.TaggedStruct("Receipt", {
    key: Schema.String,
    receipt: Schema.Struct({ request: Schema.String, meteringRecordId: Schema.String })
  }),
  Schema.TaggedStruct("Token", {
    key: Schema.String,
    token: Schema.Struct({
      mintedAt: Schema.Number,
      customerAWSAccountId: Schema.String,
      customerIdentifier: optionalText,
      productCode: Schema.String,
      licenseArn: optionalText
    })
  }),
  Schema.TaggedStruct("Registered", { key: Schema.String }),
  Schema.TaggedStruct("Customer", { customer: Customer }),
  Schema.TaggedStruct("Calendar", { offset: Schema.Number }),
  Schema.TaggedStruct("PrivateKey", { pem: Schema.String.pipe(Schema.filter(isPrivateKey)) }),
  Schema.TaggedStruct("Faults", {
    faults: Schema.Struct({
      script: Schema.Array(ScriptedFault),
      chances: Schema.Array(RandomFault),
      random: Schema.mutable(
        Schema.Tuple(Schema.Number, Schema.Number, Schema.Number, Schema.Number)
      )
    })
  }),
  Schema.TaggedStruct("Bucket", {
    operation: OperationName,
    bucket: Schema.Struct({ left: Schema.Number, at: Schema.Number })
  }),
  Schema.TaggedStruct("Counts", { arrivals: Schema.Number, calls: CallCounts }),
  Schema.TaggedStruct("Reset", {})
)

/** What is in a line is in the state whole or, where its writer ended with it, not at all. */
const Line = Schema.parseJson(Schema.Array(ChangeSchema))
const encode = Schema.encodeSync(Line)
const decode = Schema.decodeEither(Line, { errors: "first" })

/** A file begins with the name of its format, so that it is taken for nothing else. */
const format = "effect-marketplace-metering sandbox"
const version = 2
const header = JSON.stringify({ [format]: version })

/** Ends the snapshot. The lines after it are the changes since. */
const snapshotEnd = '"end of snapshot"'

/** The longest text of a whole state, in characters: longer ones are for files alone. */
export const maxTextLength = 256 * 1024 * 1024

/** A longer line is no line of a state, in bytes. */
const maxLineBytes = maxTextLength

/**
 * Each line begins with a checksum over itself and all lines before it: a changed byte, and a line that is missing,
 * doubled or in another place, are told from what was written.
 */
const checksumOf = (previous: string, content: string): string =>
  sha256Hex(previous + content).slice(0, checksumLength)

const checksumLength = 16

/** A line, and the checksum that the next one goes on from. */
export interface ChecksummedLine {
  readonly line: string
  readonly checksum: string
}

export const withChecksum = (previous: string, content: string): ChecksummedLine => {
  const checksum = checksumOf(previous, content)
  return { line: `${checksum} ${content}\n`, checksum }
}

/** The text of a state in which nothing has happened. */
export const emptyStateText = `${header}\n${withChecksum(header, snapshotEnd).line}`

/** Changes as the content of a line. */
export const encodeChanges = (changes: ReadonlyArray<Change>): string => encode(changes)

/** About so many characters are in a line of a snapshot. */
const targetLineLength = 16_384

/** A state, whole, as the lines of a file. It need not be made at once. */
export function* snapshotLines(state: State): Generator<ChecksummedLine, void> {
  let checksummed: ChecksummedLine = { line: `${header}\n`, checksum: header }
  yield checksummed
  let contents: Array<string> = []
  let length = 0
  for (const one of changesOf(state)) {
    // without the brackets of the list
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

/** How far the lines of a file have been read. */
export interface ReplayProgress {
  readonly state: State
  readonly checksum: string
  /** How many lines were read. */
  readonly lines: number
  readonly isComplete: boolean
}

export const beginReplay = (initial: State): ReplayProgress => ({
  state: apply(initial, { _tag: "Reset" }),
  checksum: header,
  lines: 0,
  isComplete: false
})

/** Reads the next line, without its end. */
export const replayLine = (
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
 * The end of a file: what follows its last line end, which is nothing unless its writer ended while it wrote. Says
 * whether that was dropped; no response to it was given.
 */
export const endReplay = (
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
  // a line that was cut short is text as far as it goes, and not a whole line with another end
  const isTruncated =
    remainder.every((byte) => byte >= 0x20) &&
    !Option.exists(decodeUtf8(remainder.subarray(0, -1)), (line) =>
      Either.isRight(replayLine(progress, line))
    )
  return isTruncated
    ? Either.right({ progress, droppedBytes: remainder.length })
    : Either.left(`line ${progress.lines + 1}: ${checksumMismatch}`)
}

/** Bytes as text, if they are text. */
export const decodeUtf8 = (bytes: Uint8Array): Option.Option<string> => {
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

/** Lines of bytes that come in pieces of any size. */
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
    /** Reads the lines that end with these bytes, or says what is wrong with one. */
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
      // the reader of a file uses its buffer again
      push(bytes.slice(from))
      return length > maxLineBytes
        ? Either.left(`line ${progress.lines + 1}: it is longer than any line of a state`)
        : Either.right(undefined)
    },
    end: () => endReplay(progress, take())
  }
}

const lineEnd = 0x0a

/** A state, whole, as one text, or how long it would have to be at least. */
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
        yield* nextTask
      }
    }
    return parts.join("")
  })

/** The state that saved text tells of, or what is wrong with the text. */
export const replay = (initial: State, text: string): Effect.Effect<State, string> =>
  Effect.gen(function* () {
    let progress = beginReplay(initial)
    let from = 0
    let sliceStart = 0
    for (let to = text.indexOf("\n"); to !== -1; from = to + 1, to = text.indexOf("\n", from)) {
      progress = yield* replayLine(progress, text.slice(from, to))
      if (from - sliceStart > sliceLength) {
        sliceStart = from
        yield* nextTask
      }
    }
    const remainder = text.slice(from)
    if (progress.lines === 0) return yield* Effect.fail(unrecognizedFormat(remainder))
    return remainder !== "" || !progress.isComplete
      ? yield* Effect.fail("it ends too early")
      : progress.state
  })

/** The number of characters that are written and read in a few milliseconds. */
const sliceLength = 65_536
