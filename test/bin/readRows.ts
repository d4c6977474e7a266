/** Rows of usage from chunks of bytes. */
import { Chunk, Effect, Either, Exit, Option, Stream } from "effect"
import * as parseRows from "../../src/bin/input/parseRows.js"
import { through } from "../../src/bin/input/scanner.js"
import { type UsageRow, usageRowSchema } from "../../src/bin/input/usageRows.js"
import * as validateUtf8 from "../../src/bin/input/validateUtf8.js"
import { type CliError, cannotRun } from "../../src/bin/internal/cliError.js"

const encoder = new TextEncoder()

export const encode = (text: string): Uint8Array => encoder.encode(text)

/** In pieces of `size` bytes. */
export const chunked = (bytes: Uint8Array, size: number) =>
  Stream.fromIterable(
    Array.from({ length: Math.ceil(bytes.length / size) }, (_, i) =>
      bytes.slice(i * size, (i + 1) * size)
    )
  )

export const readError = cannotRun("usage cannot be read: EIO.")

/** The elements of a stream, and its error. */
export interface ReadResult<A> {
  readonly rows: ReadonlyArray<A>
  readonly failure: string | undefined
}

export const readAll = <A>(stream: Stream.Stream<A, CliError>): Effect.Effect<ReadResult<A>> =>
  Effect.gen(function* () {
    const rows: Array<A> = []
    const exit = yield* Effect.exit(
      Stream.runForEachChunk(stream, (chunk) =>
        Effect.sync(() => rows.push(...Chunk.toReadonlyArray(chunk)))
      )
    )
    const failure = Exit.isFailure(exit)
      ? Option.getOrUndefined(
          Option.map(Exit.causeOption(exit), (cause) =>
            cause._tag === "Fail" ? cause.error.message : String(cause)
          )
        )
      : undefined
    return { rows, failure }
  })

/** Rows as the command reads them. */
export const readRows = (format: parseRows.Format, bytes: Stream.Stream<Uint8Array, CliError>) => {
  const checked = through(() => validateUtf8.make("usage"))(bytes)
  return readAll(
    format === "csv"
      ? parseRows.csv(usageRowSchema, checked, "usage")
      : parseRows.ndjson(usageRowSchema, checked)
  )
}

export const itemOf = ({ content }: UsageRow) => Option.getOrUndefined(Either.getRight(content))

export const errorOf = ({ content }: UsageRow) => Option.getOrUndefined(Either.getLeft(content))
