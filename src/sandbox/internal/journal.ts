/** A state as text: a snapshot, and then a line for all that each step brought. */
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import { OperationName } from "../../MeteringError.js"
import { UsageAllocation } from "../../UsageAllocation.js"
import { Chance, Step } from "../Fault.js"
import { Counts } from "../Report.js"
import { Customer } from "../Scenario.js"
import { sha256Hex } from "./hash.js"
import { isPrivateKey } from "./keys.js"
import { nextTask } from "./slices.js"
import { apply, type Change, changesOf, type State } from "./state.js"

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
      script: Schema.Array(Step),
      chances: Schema.Array(Chance),
      random: Schema.mutable(
        Schema.Tuple(Schema.Number, Schema.Number, Schema.Number, Schema.Number)
      )
    })
  }),
  Schema.TaggedStruct("Bucket", {
    operation: OperationName,
    bucket: Schema.Struct({ left: Schema.Number, at: Schema.Number })
  }),
  Schema.TaggedStruct("Counts", { arrivals: Schema.Number, calls: Counts }),
  Schema.TaggedStruct("Reset", {})
)

/** What is in a line is in the state whole or, where its writer ended with it, not at all. */
const Line = Schema.parseJson(Schema.Array(ChangeSchema))
const encode = Schema.encodeSync(Line)
const decode = Schema.decodeEither(Line, { errors: "first" })

/** A file begins with the name of its format, so that it is taken for nothing else. */
const format = "effect-marketplace-metering sandbox"
const version = 2
const title = JSON.stringify({ [format]: version })

/** Ends the snapshot. The lines after it are the changes since. */
const snapshotEnd = '"end of snapshot"'

/** The longest text of a whole state, in characters: longer ones are for files alone. */
export const maxText = 256 * 1024 * 1024

/** A longer line is no line of a state, in bytes. */
const maxLine = maxText

/**
 * Each line begins with a checksum over itself and all lines before it: a changed byte, and a line that is missing,
 * doubled or in another place, are told from what was written.
 */
const checksumOf = (previous: string, content: string): string =>
  sha256Hex(previous + content).slice(0, checksumLength)

const checksumLength = 16

/** A line, and the checksum that the next one goes on from. */
export interface Sealed {
  readonly line: string
  readonly checksum: string
}

export const seal = (previous: string, content: string): Sealed => {
  const checksum = checksumOf(previous, content)
  return { line: `${checksum} ${content}\n`, checksum }
}

/** The text of a state in which nothing has happened. */
export const textOfNothing = `${title}\n${seal(title, snapshotEnd).line}`

/** Changes as the content of a line. */
export const contentOf = (changes: ReadonlyArray<Change>): string => encode(changes)

/** About so many characters are in a line of a snapshot. */
const lineLength = 16_384

/** A state, whole, as the lines of a file. It need not be made at once. */
export function* linesOf(state: State): Generator<Sealed, void> {
  let sealed: Sealed = { line: `${title}\n`, checksum: title }
  yield sealed
  let contents: Array<string> = []
  let length = 0
  for (const one of changesOf(state)) {
    // without the brackets of the list
    const content = encode([one]).slice(1, -1)
    contents.push(content)
    length += content.length
    if (length >= lineLength) {
      sealed = seal(sealed.checksum, `[${contents.join()}]`)
      yield sealed
      contents = []
      length = 0
    }
  }
  if (contents.length > 0) {
    sealed = seal(sealed.checksum, `[${contents.join()}]`)
    yield sealed
  }
  yield seal(sealed.checksum, snapshotEnd)
}

/** How far the lines of a file have been read. */
export interface Progress {
  readonly state: State
  readonly checksum: string
  /** How many lines were read. */
  readonly lines: number
  readonly isComplete: boolean
}

export const begin = (initial: State): Progress => ({
  state: apply(initial, { _tag: "Reset" }),
  checksum: title,
  lines: 0,
  isComplete: false
})

/** Reads the next line, without its end. */
export const next = (progress: Progress, line: string): Either.Either<Progress, string> => {
  const { checksum, isComplete, state } = progress
  const lines = progress.lines + 1
  if (lines === 1) {
    return line === title ? Either.right({ ...progress, lines }) : Either.left(foreign(line))
  }
  const wrong = (reason: string) => Either.left(`line ${lines}: ${reason}`)
  const content = line.slice(checksumLength + 1)
  const sealed = seal(checksum, content)
  if (sealed.line !== `${line}\n`) return wrong(damaged)
  if (content === snapshotEnd && !isComplete) {
    return Either.right({ state, checksum: sealed.checksum, lines, isComplete: true })
  }
  return Either.match(decode(content), {
    onLeft: () => wrong("this is not a change of a sandbox's state"),
    onRight: (changes) =>
      Either.right({
        state: changes.reduce(apply, state),
        checksum: sealed.checksum,
        lines,
        isComplete
      })
  })
}

const damaged =
  "its checksum is not that of its text and of the lines before it, so it was damaged or changed by hand"

/**
 * The end of a file: what follows its last line end, which is nothing unless its writer ended while it wrote. Says
 * whether that was dropped; no response to it was given.
 */
export const end = (
  progress: Progress,
  unfinished: Uint8Array
): Either.Either<{ readonly progress: Progress; readonly dropped: number }, string> => {
  if (progress.lines === 0 && unfinished.length === 0) return Either.left("it is empty")
  const [text] = Option.toArray(textOf(unfinished))
  if (progress.lines === 0) {
    return Either.left(
      text !== undefined && title.startsWith(text) ? tooShort(1) : foreign(text ?? "")
    )
  }
  if (!progress.isComplete) return Either.left(tooShort(progress.lines + 1))
  if (unfinished.length === 0) return Either.right({ progress, dropped: 0 })
  const whole = text === undefined ? undefined : Either.getRight(next(progress, text))
  if (whole !== undefined && Option.isSome(whole)) {
    return Either.right({ progress: whole.value, dropped: 0 })
  }
  // a line that was cut short is text as far as it goes, and not a whole line with another end
  const isCut =
    unfinished.every((byte) => byte >= 0x20) &&
    !Option.exists(textOf(unfinished.subarray(0, -1)), (line) =>
      Either.isRight(next(progress, line))
    )
  return isCut
    ? Either.right({ progress, dropped: unfinished.length })
    : Either.left(`line ${progress.lines + 1}: ${damaged}`)
}

/** Bytes as text, if they are text. */
export const textOf = (bytes: Uint8Array): Option.Option<string> => {
  try {
    return Option.some(new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes))
  } catch {
    return Option.none()
  }
}

const tooShort = (line: number) =>
  `line ${line}: it ends before the state that it begins with is whole`

const foreign = (line: string): string =>
  /^\0/.test(line)
    ? "line 1: it is filled with zero bytes, as after a crash of the machine"
    : line.startsWith(`{"${format}":`)
      ? `line 1: it is a state of another version than ${version}, which alone is read here`
      : "line 1: this is not a sandbox's state"

/** Lines of bytes that come in pieces of any size. */
export const reader = (initial: State) => {
  let progress = begin(initial)
  let pieces: Array<Uint8Array> = []
  let length = 0
  const push = (bytes: Uint8Array) => {
    pieces.push(bytes)
    length += bytes.length
  }
  const take = (): Uint8Array => {
    const [only = new Uint8Array()] = pieces
    const all = pieces.length > 1 ? Buffer.concat(pieces) : only
    pieces = []
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
        const line = Option.getOrElse(textOf(take()), () => "not text")
        const read = next(progress, line)
        if (Either.isLeft(read)) return Either.left(read.left)
        progress = read.right
      }
      // the reader of a file uses its buffer again
      push(bytes.slice(from))
      return length > maxLine
        ? Either.left(`line ${progress.lines + 1}: it is longer than any line of a state`)
        : Either.right(undefined)
    },
    end: () => end(progress, take())
  }
}

const lineEnd = 0x0a

/** A state, whole, as one text, or how long it would have to be at least. */
export const save = (state: State): Effect.Effect<string, string> =>
  Effect.gen(function* () {
    const parts: Array<string> = []
    let length = 0
    let slice = 0
    for (const { line } of linesOf(state)) {
      parts.push(line)
      length += line.length
      if (length > maxText) {
        return yield* Effect.fail(
          `The state is too long for one text of at most ${maxText / 1024 ** 2} MiB: keep it in a file, by MeteringSandbox.layerFile or sandbox --state.`
        )
      }
      if (length - slice > sliceLength) {
        slice = length
        yield* nextTask
      }
    }
    return parts.join("")
  })

/** The state that saved text tells of, or what is wrong with the text. */
export const load = (initial: State, text: string): Effect.Effect<State, string> =>
  Effect.gen(function* () {
    let progress = begin(initial)
    let from = 0
    let slice = 0
    for (let to = text.indexOf("\n"); to !== -1; from = to + 1, to = text.indexOf("\n", from)) {
      progress = yield* next(progress, text.slice(from, to))
      if (from - slice > sliceLength) {
        slice = from
        yield* nextTask
      }
    }
    const rest = text.slice(from)
    if (progress.lines === 0) return yield* Effect.fail(foreign(rest))
    return rest !== "" || !progress.isComplete
      ? yield* Effect.fail("it ends too early")
      : progress.state
  })

/** The number of characters that are written and read in a few milliseconds. */
const sliceLength = 65_536
