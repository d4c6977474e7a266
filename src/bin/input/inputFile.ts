/** What is read from a file, or from standard input in its place. */
import { createReadStream } from "node:fs"
import type { PlatformError } from "@effect/platform/Error"
import * as FileSystem from "@effect/platform/FileSystem"
import * as NodeStream from "@effect/platform-node/NodeStream"
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import { type CliError, cannotRun } from "../internal/cliError.js"
import { fileErrorReason } from "../internal/fileError.js"
import * as limits from "./limits.js"
import { through } from "./scanner.js"
import * as utf8 from "./utf8.js"

export const isStandardInput = (file: string) => file === "-"

/** Identifies the file: its path, or the descriptor of standard input. */
export const pathOrDescriptor = (file: string): string | number =>
  isStandardInput(file) ? 0 : file

export const displayName = (file: string) => (isStandardInput(file) ? "standard input" : file)

/**
 * The bytes of a file of text, or of standard input where it is called `-`, in whole characters. It fails at bytes that
 * are not UTF-8, behind all that come before: what they stand for cannot be told. `name` is what the file is called in
 * errors.
 */
export const readBytes = (
  file: string,
  name = displayName(file)
): Stream.Stream<Uint8Array, CliError, FileSystem.FileSystem> =>
  through(() => utf8.make(name))(openBytes(file, name))

const openBytes = (
  file: string,
  name: string
): Stream.Stream<Uint8Array, CliError, FileSystem.FileSystem> =>
  isStandardInput(file)
    ? NodeStream.fromReadable<CliError, Uint8Array>(
        () => process.stdin,
        (error) => cannotRun(`Standard input cannot be read: ${String(error)}`)
      )
    : Stream.unwrap(
        Effect.gen(function* () {
          const fs = yield* FileSystem.FileSystem
          const toReadError = (error: PlatformError) =>
            cannotRun(`${name} cannot be read: ${fileErrorReason(error)}.`)
          const { type } = yield* Effect.mapError(fs.stat(file), toReadError)
          return type === "File" || type === "Directory"
            ? Stream.mapError(fs.stream(file), toReadError)
            : // of a pipe there are no positions to read at
              NodeStream.fromReadable<CliError, Uint8Array>(
                () => createReadStream(file),
                (error) => cannotRun(`${name} cannot be read: ${String(error)}`)
              )
        })
      )

/** How many bytes a file has; of what is no regular file it is not known, and there may be no end. */
export const fileSize = (file: string) =>
  isStandardInput(file)
    ? Effect.succeed(undefined)
    : Effect.flatMap(FileSystem.FileSystem, (fs) => fs.stat(file)).pipe(
        Effect.mapError((error) => cannotRun(`${file} cannot be read: ${fileErrorReason(error)}.`)),
        Effect.map(({ size, type }) => (type === "File" ? Number(size) : undefined))
      )

/** A file of text as a whole, of 1 MiB at the most. */
export const readText = (
  file: string,
  name = displayName(file)
): Effect.Effect<string, CliError, FileSystem.FileSystem> =>
  readBytes(file, name).pipe(
    Stream.mapAccumEffect(0, (before, bytes) => {
      const length = before + bytes.length
      return length > limits.textBytes
        ? Effect.fail(
            cannotRun(
              `${name} is longer than ${limits.formatCount(limits.textBytes)} bytes: is it the right file?`
            )
          )
        : Effect.succeed([length, bytes] as const)
    }),
    Stream.decodeText(),
    Stream.mkString
  )
