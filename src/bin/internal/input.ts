/** What is read from a file, or from standard input in its place. */
import * as FileSystem from "@effect/platform/FileSystem"
import * as NodeStream from "@effect/platform-node/NodeStream"
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import { cannotRun, type Failure } from "./failure.js"
import { reasonOf } from "./files.js"

export const isStandardInput = (file: string) => file === "-"

export const nameOf = (file: string) => (isStandardInput(file) ? "standard input" : file)

/** The bytes of a file, or of standard input where it is called `-`. */
export const bytesOf = (file: string): Stream.Stream<Uint8Array, Failure, FileSystem.FileSystem> =>
  isStandardInput(file)
    ? NodeStream.fromReadable<Failure, Uint8Array>(
        () => process.stdin,
        (error) => cannotRun(`Standard input cannot be read: ${String(error)}`)
      )
    : Stream.unwrap(
        Effect.map(FileSystem.FileSystem, (fs) =>
          Stream.mapError(fs.stream(file), (error) =>
            cannotRun(`${file} cannot be read: ${reasonOf(error)}.`)
          )
        )
      )

export const textOf = (file: string): Effect.Effect<string, Failure, FileSystem.FileSystem> =>
  bytesOf(file).pipe(Stream.decodeText(), Stream.mkString)
