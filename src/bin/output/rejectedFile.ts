/** The file of `--rejected`. Rows go to a temporary file, which is put into the order of the source and renamed at the end. */
import { randomUUID } from "node:crypto"
import { lstatSync } from "node:fs"
import { basename, dirname, join } from "node:path"
import type { PlatformError } from "@effect/platform/Error"
import * as FileSystem from "@effect/platform/FileSystem"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import { pathOrDescriptor } from "../input/readInput.js"
import { type CliError, cannotRun } from "../internal/cliError.js"
import { toFileError } from "../internal/fileErrors.js"
import { isSameFile, redirectedOutput } from "../internal/sameFile.js"

/** A row to write, and the line of the source at which it begins. */
export interface RejectedLine {
  readonly line: number
  readonly text: string
}

export interface RejectedFile {
  readonly write: (lines: ReadonlyArray<RejectedLine>) => Effect.Effect<void, CliError>
  /**
   * Replaces the file with the written rows. If this is not run, closing the scope replaces the file if rows were written, and
   * leaves it unchanged otherwise.
   */
  readonly finish: Effect.Effect<void, CliError>
  /** Returns a sentence with the name of the temporary file, or `undefined` after it is renamed. */
  readonly unfinished: () => string | undefined
}

export type Requirements = FileSystem.FileSystem | Scope.Scope

/** Opens the file for the rejected rows of a source. Its content does not change before `finish`. */
export const open = (
  path: string,
  source: string
): Effect.Effect<RejectedFile, CliError, Requirements> =>
  Effect.gen(function* () {
    const fs = yield* FileSystem.FileSystem
    const orFail = Effect.mapError(toFileError(`${path} cannot be written`))
    yield* checkTarget(path, source)
    if (!(yield* fs.exists(path).pipe(orFail))) {
      return lstatSync(path, { throwIfNoEntry: false }) === undefined
        ? yield* openReplacement(path, path, source)
        : yield* cannotRun(`${path} cannot be written: it is a link to a missing file.`)
    }
    const { type } = yield* fs.stat(path).pipe(orFail)
    yield* fs.access(path, { writable: true }).pipe(orFail)
    if (type === "File")
      return yield* openReplacement(path, yield* fs.realPath(path).pipe(orFail), source)
    // a pipe or a device cannot be replaced, and has no content to keep
    const file = yield* fs.open(path, { flag: "a" }).pipe(orFail)
    return {
      write: (lines) =>
        file.writeAll(encoder.encode(lines.map(({ text }) => text).join(""))).pipe(orFail),
      finish: Effect.void,
      unfinished: () => undefined
    }
  })

const encoder = new TextEncoder()

/** Fails if the file is the source or receives redirected output, because its content would be lost. */
const checkTarget = (path: string, source: string): Effect.Effect<void, CliError> =>
  Effect.suspend(() => {
    if (isSameFile(path, pathOrDescriptor(source))) {
      return cannotRun(`${path} is being read: choose another file with --rejected.`)
    }
    const output = redirectedOutput(path)
    return output === undefined
      ? Effect.void
      : cannotRun(`${path} is where ${output} goes: choose another file with --rejected.`)
  })

interface RowPosition {
  readonly line: number
  readonly offset: number
  readonly length: number
}

const openReplacement = (
  path: string,
  target: string,
  source: string
): Effect.Effect<RejectedFile, CliError, Requirements> =>
  Effect.gen(function* () {
    const fs = yield* FileSystem.FileSystem
    const orFail = Effect.mapError(toFileError(`${path} cannot be written`))
    const temporaryName = () =>
      // shortened, because file names are limited to 255 bytes
      join(dirname(target), `${basename(target).slice(0, 60)}.${randomUUID().slice(0, 8)}.tmp`)
    const create = (name: string) => fs.open(name, { flag: "wx+", mode: 0o600 })

    const name = temporaryName()
    const positions: Array<RowPosition> = []
    let size = 0
    let isFinished = false
    let isRenamed = false
    const locationMessage = `The rejected records are in ${name}.`
    const file = yield* create(name).pipe(orFail)

    const write = (lines: ReadonlyArray<RejectedLine>) =>
      Effect.suspend(() => {
        const rows = lines.map(({ line, text }) => ({ line, bytes: encoder.encode(text) }))
        return file.writeAll(Buffer.concat(rows.map(({ bytes }) => bytes))).pipe(
          // removes a partly written row, which would be read as another row
          Effect.tapError(() => Effect.ignore(file.truncate(size))),
          orFail,
          Effect.andThen(
            Effect.sync(() => {
              for (const { bytes, line } of rows) {
                positions.push({ line, offset: size, length: bytes.length })
                size += bytes.length
              }
            })
          )
        )
      }).pipe(Effect.uninterruptible)

    const sort = Effect.gen(function* () {
      const copy = temporaryName()
      yield* Effect.scoped(
        Effect.flatMap(create(copy), (sorted) =>
          Effect.zipRight(copySorted(file, positions, sorted), sorted.sync)
        )
      ).pipe(
        Effect.zipRight(fs.rename(copy, name)),
        Effect.tapError(() => Effect.ignore(fs.remove(copy)))
      )
    })

    const finish = Effect.suspend(() => {
      isFinished = true
      const isInOrder = positions.every(({ line }, i) => line >= (positions[i - 1]?.line ?? 0))
      const completed: Effect.Effect<unknown, unknown> = isInOrder ? file.sync : sort
      // errors are ignored, because the file is complete even if it is not synced or sorted
      return Effect.ignore(completed).pipe(
        Effect.zipRight(checkTarget(path, source)),
        Effect.zipRight(fs.rename(name, target).pipe(orFail)),
        Effect.mapError(({ message }) => cannotRun(`${message} ${locationMessage}`)),
        Effect.ensuring(
          Effect.sync(() => {
            isRenamed = true
          })
        )
      )
    }).pipe(Effect.uninterruptible)

    yield* Effect.addFinalizer(() =>
      isFinished ? Effect.void : size > 0 ? Effect.ignore(finish) : Effect.ignore(fs.remove(name))
    )
    return { write, finish, unfinished: () => (isRenamed ? undefined : locationMessage) }
  }).pipe(Effect.uninterruptible)

/** Maximum number of bytes that are copied at once. */
const copyBytes = 4_194_304

/** Copies rows in the order of their lines. Rows that were written one after another are copied at once. */
const copySorted = (
  from: FileSystem.File,
  positions: ReadonlyArray<RowPosition>,
  to: FileSystem.File
): Effect.Effect<void, PlatformError | string> =>
  Effect.gen(function* () {
    const sorted = [...positions].sort((a, b) => a.line - b.line)
    for (let i = 0; i < sorted.length; ) {
      const start = sorted[i]?.offset ?? 0
      let end = start
      for (; sorted[i]?.offset === end && end - start < copyBytes; i++) {
        end += sorted[i]?.length ?? 0
      }
      yield* to.writeAll(yield* readExactly(from, start, end - start))
    }
  })

const readExactly = (file: FileSystem.File, offset: number, length: number) =>
  Effect.gen(function* () {
    const bytes = new Uint8Array(length)
    yield* file.seek(offset, "start")
    for (let bytesRead = 0; bytesRead < length; ) {
      const count = Number(yield* file.read(bytes.subarray(bytesRead)))
      if (count === 0) return yield* Effect.fail("the file was truncated")
      bytesRead += count
    }
    return bytes
  })
