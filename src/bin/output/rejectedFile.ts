/** The file of `--rejected`: written beside its place, and put there at the end, in the order of the source. */
import { randomUUID } from "node:crypto"
import { lstatSync } from "node:fs"
import { basename, dirname, join } from "node:path"
import type { PlatformError } from "@effect/platform/Error"
import * as FileSystem from "@effect/platform/FileSystem"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import { pathOrDescriptor } from "../input/inputFile.js"
import { type CliError, cannotRun } from "../internal/cliError.js"
import { fileErrorReason } from "../internal/fileError.js"
import { isSameFile, redirectedOutput } from "../internal/fileIdentity.js"

/** A row as it is to be written, by the line of the source that it begins at. */
export interface RejectedLine {
  readonly line: number
  readonly text: string
}

export interface RejectedFile {
  readonly write: (lines: ReadonlyArray<RejectedLine>) => Effect.Effect<void, CliError>
  /**
   * Replaces what the file held by what was written. Without it, the end of the scope does so if anything was written;
   * otherwise the file stays as it was.
   */
  readonly finish: Effect.Effect<void, CliError>
  /** Until it is finished, the name of the file that has the rows, in a sentence. */
  readonly unfinished: () => string | undefined
}

export type Requirements = FileSystem.FileSystem | Scope.Scope

/** Opens the file for the rejected rows of a source. What it holds is not touched before the end. */
export const open = (
  path: string,
  source: string
): Effect.Effect<RejectedFile, CliError, Requirements> =>
  Effect.gen(function* () {
    const fs = yield* FileSystem.FileSystem
    const orFail = Effect.mapError(toWriteError(path))
    yield* checkTarget(path, source)
    if (!(yield* fs.exists(path).pipe(orFail))) {
      return lstatSync(path, { throwIfNoEntry: false }) === undefined
        ? yield* openReplacement(path, path, source)
        : yield* cannotRun(`${path} cannot be written: it is a link to a file that is missing.`)
    }
    const { type } = yield* fs.stat(path).pipe(orFail)
    yield* fs.access(path, { writable: true }).pipe(orFail)
    if (type === "File")
      return yield* openReplacement(path, yield* fs.realPath(path).pipe(orFail), source)
    // a pipe or a device cannot be replaced, and has nothing to be lost
    const file = yield* fs.open(path, { flag: "a" }).pipe(orFail)
    return {
      write: (lines) =>
        file.writeAll(encoder.encode(lines.map(({ text }) => text).join(""))).pipe(orFail),
      finish: Effect.void,
      unfinished: () => undefined
    }
  })

const encoder = new TextEncoder()

const toWriteError = (path: string) => (error: PlatformError) =>
  cannotRun(`${path} cannot be written: ${fileErrorReason(error)}.`)

/** Fails for the file that is read, and for one that is printed into: what they hold would be lost. */
const checkTarget = (path: string, source: string): Effect.Effect<void, CliError> =>
  Effect.suspend(() => {
    if (isSameFile(path, pathOrDescriptor(source))) {
      return cannotRun(`${path} is being read: give another file by --rejected.`)
    }
    const output = redirectedOutput(path)
    return output === undefined
      ? Effect.void
      : cannotRun(`${path} is where ${output} goes: give another file by --rejected.`)
  })

/** Where a row was written. */
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
    const orFail = Effect.mapError(toWriteError(path))
    const temporaryName = () =>
      // the name of a file has a limit, which the target's may have come to
      join(dirname(target), `${basename(target).slice(0, 60)}.${randomUUID().slice(0, 8)}.tmp`)
    const create = (name: string) => fs.open(name, { flag: "wx+", mode: 0o600 })

    const name = temporaryName()
    const positions: Array<RowPosition> = []
    let size = 0
    let isFinished = false
    let isRenamed = false
    const locationMessage = `What was rejected is in ${name}.`
    const file = yield* create(name).pipe(orFail)

    const write = (lines: ReadonlyArray<RejectedLine>) =>
      Effect.suspend(() => {
        const rows = lines.map(({ line, text }) => ({ line, bytes: encoder.encode(text) }))
        return file.writeAll(Buffer.concat(rows.map(({ bytes }) => bytes))).pipe(
          // part of a row would be read as another one
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
      // without it all rows are there all the same
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

/** Rows of so many bytes are sorted in memory at a time. */
const batchBytes = 4_194_304

/** Reads that are no further apart than this many bytes are made as one. */
const maxGapBytes = 65_536

const copySorted = (
  from: FileSystem.File,
  positions: Array<RowPosition>,
  to: FileSystem.File
): Effect.Effect<void, PlatformError | string> =>
  Effect.gen(function* () {
    const sorted = positions.sort((a, b) => a.line - b.line)
    for (let start = 0, end = 0; start < sorted.length; start = end) {
      let bytes = 0
      for (end = start; end < sorted.length && bytes < batchBytes; end++) {
        bytes += sorted[end]?.length ?? 0
      }
      const batch = sorted.slice(start, end)
      const rows = yield* readPositions(from, batch)
      yield* to.writeAll(Buffer.concat(batch.map((position) => rows.get(position) ?? empty)))
    }
  })

const empty = new Uint8Array(0)

/** The bytes of rows, by their places, in as few reads as it takes. */
const readPositions = (file: FileSystem.File, positions: ReadonlyArray<RowPosition>) =>
  Effect.gen(function* () {
    const rows = new Map<RowPosition, Uint8Array>()
    const byOffset = [...positions].sort((a, b) => a.offset - b.offset)
    for (let start = 0, end = 0; start < byOffset.length; start = end) {
      const from = byOffset[start]?.offset ?? 0
      let to = from
      for (end = start; end < byOffset.length; end++) {
        const { length, offset } = byOffset[end] as RowPosition
        if (offset - to > maxGapBytes) break
        to = offset + length
      }
      const bytes = yield* readExactly(file, from, to - from)
      for (const position of byOffset.slice(start, end)) {
        const at = position.offset - from
        rows.set(position, bytes.subarray(at, at + position.length))
      }
    }
    return rows
  })

const readExactly = (file: FileSystem.File, offset: number, length: number) =>
  Effect.gen(function* () {
    const bytes = new Uint8Array(length)
    yield* file.seek(offset, "start")
    for (let bytesRead = 0; bytesRead < length; ) {
      const count = Number(yield* file.read(bytes.subarray(bytesRead)))
      if (count === 0) return yield* Effect.fail("the file has become shorter")
      bytesRead += count
    }
    return bytes
  })
