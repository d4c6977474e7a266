/** Reads files and standard input. */
import { createReadStream } from "node:fs"
import type { Readable } from "node:stream"
import * as FileSystem from "@effect/platform/FileSystem"
import * as NodeStream from "@effect/platform-node/NodeStream"
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import { type CliError, cannotRun } from "../internal/cliError.js"
import { toFileError } from "../internal/fileErrors.js"
import { formatCount } from "../output/format.js"
import * as limits from "./limits.js"
import { through } from "./scanner.js"
import * as validateUtf8 from "./validateUtf8.js"

export const isStandardInput = (file: string) => file === "-"

/** Returns the path of a file, or the descriptor of standard input. */
export const pathOrDescriptor = (file: string): string | number =>
  isStandardInput(file) ? 0 : file

export const displayName = (file: string) => (isStandardInput(file) ? "standard input" : file)

/**
 * Reads the bytes of a file, or of standard input for `-`. No chunk splits a character. Fails on invalid UTF-8, after emitting
 * the valid bytes before it. `name` is the file in error messages.
 */
export const readBytes = (
  file: string,
  name = displayName(file)
): Stream.Stream<Uint8Array, CliError, FileSystem.FileSystem> =>
  through(() => validateUtf8.make(name))(openBytes(file, name))

const fromReadable = (name: string, open: () => Readable) =>
  NodeStream.fromReadable<CliError, Uint8Array>(open, (error) =>
    cannotRun(`${name} cannot be read: ${String(error)}`)
  )

const openBytes = (
  file: string,
  name: string
): Stream.Stream<Uint8Array, CliError, FileSystem.FileSystem> =>
  isStandardInput(file)
    ? fromReadable("Standard input", () => process.stdin)
    : Stream.unwrap(
        Effect.gen(function* () {
          const fs = yield* FileSystem.FileSystem
          const toReadError = toFileError(`${name} cannot be read`)
          const { type } = yield* Effect.mapError(fs.stat(file), toReadError)
          return type === "File" || type === "Directory"
            ? Stream.mapError(fs.stream(file), toReadError)
            : // `fs.stream` reads at offsets, which pipes do not support
              fromReadable(name, () => createReadStream(file))
        })
      )

/** Returns the size of a regular file in bytes, or `undefined` for other files, which may be endless. */
export const fileSize = (file: string) =>
  isStandardInput(file)
    ? Effect.succeed(undefined)
    : Effect.flatMap(FileSystem.FileSystem, (fs) => fs.stat(file)).pipe(
        Effect.mapError(toFileError(`${file} cannot be read`)),
        Effect.map(({ size, type }) => (type === "File" ? Number(size) : undefined))
      )

/** Reads a whole file as text. Fails if it is longer than 1 MiB. */
export const readText = (
  file: string,
  name = displayName(file)
): Effect.Effect<string, CliError, FileSystem.FileSystem> =>
  readBytes(file, name).pipe(
    Stream.mapAccumEffect(0, (before, bytes) => {
      const length = before + bytes.length
      return length > limits.textBytes
        ? cannotRun(
            `${name} is longer than ${formatCount(limits.textBytes)} bytes: is it the right file?`
          )
        : Effect.succeed([length, bytes] as const)
    }),
    Stream.decodeText(),
    Stream.mkString
  )
