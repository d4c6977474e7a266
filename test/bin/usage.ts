/** Rows of usage from bytes, cut as a test wants them. */
import { Chunk, Effect, Either, Exit, Option, Stream } from "effect"
import { cannotRun, type Failure } from "../../src/bin/internal/failure.js"
import * as rows from "../../src/bin/internal/rows.js"
import { through } from "../../src/bin/internal/scanner.js"
import * as utf8 from "../../src/bin/internal/utf8.js"

const encoder = new TextEncoder()

export const bytesOf = (text: string): Uint8Array => encoder.encode(text)

/** In pieces of so many bytes. */
export const inPieces = (bytes: Uint8Array, size: number) =>
  Stream.fromIterable(
    Array.from({ length: Math.ceil(bytes.length / size) }, (_, i) =>
      bytes.slice(i * size, (i + 1) * size)
    )
  )

export const unreadable = cannotRun("usage cannot be read: EIO.")

/** What was given, and what it failed with, if it did. */
export interface Read<A> {
  readonly given: ReadonlyArray<A>
  readonly failure: string | undefined
}

export const readAll = <A>(stream: Stream.Stream<A, Failure>): Effect.Effect<Read<A>> =>
  Effect.gen(function* () {
    const given: Array<A> = []
    const exit = yield* Effect.exit(
      Stream.runForEachChunk(stream, (chunk) =>
        Effect.sync(() => given.push(...Chunk.toReadonlyArray(chunk)))
      )
    )
    const failure = Exit.isFailure(exit)
      ? Option.getOrUndefined(
          Option.map(Exit.causeOption(exit), (cause) =>
            cause._tag === "Fail" ? cause.error.message : String(cause)
          )
        )
      : undefined
    return { given, failure }
  })

/** Rows as the command reads them: checked bytes first. */
export const rowsOf = (format: rows.Format, bytes: Stream.Stream<Uint8Array, Failure>) => {
  const checked = through(() => utf8.make("usage"))(bytes)
  return readAll(format === "csv" ? rows.csv(checked, "usage") : rows.ndjson(checked))
}

export const itemOf = ({ content }: rows.Row) => Option.getOrUndefined(Either.getRight(content))

export const faultOf = ({ content }: rows.Row) => Option.getOrUndefined(Either.getLeft(content))
