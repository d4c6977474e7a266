/** The file of `--ready-file`. It exists while the sandbox listens, and contains its URL. */
import { randomUUID } from "node:crypto"
import { basename, dirname, join } from "node:path"
import type { PlatformError } from "@effect/platform/Error"
import * as FileSystem from "@effect/platform/FileSystem"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { type CliError, cannotRun } from "./cliError.js"
import { toFileError } from "./fileErrors.js"
import { isRunning } from "./isRunning.js"

const Content = Schema.parseJson(
  Schema.Struct({ url: Schema.String, pid: Schema.Int.pipe(Schema.positive()) })
)

/** Maximum size of a ready file, in bytes. A larger file is not read, because it is not a ready file. */
const maxSize = 1_000

const toReadyFileError =
  (path: string) =>
  (error: PlatformError | CliError): CliError =>
    error._tag === "CliError" ? error : toFileError(`The ready file ${path} cannot be used`)(error)

/** Removes the file of a sandbox that was killed, so that nothing connects to it. Fails if its sandbox is running. */
export const clear = (path: string): Effect.Effect<void, CliError, FileSystem.FileSystem> =>
  Effect.gen(function* () {
    const fs = yield* FileSystem.FileSystem
    if (!(yield* fs.exists(path))) return
    const { size, type } = yield* fs.stat(path)
    const text = type === "File" && size <= maxSize ? yield* fs.readFileString(path) : ""
    const { pid } = yield* Effect.mapError(Schema.decode(Content)(text), () =>
      cannotRun(
        `The ready file ${path} exists, and no sandbox has written it. Choose another with --ready-file.`
      )
    )
    // a restarted container may have the process id of the killed one
    if (pid !== process.pid && isRunning(pid)) {
      return yield* cannotRun(
        `The ready file ${path} is in use by the sandbox of process ${pid}. Choose another with --ready-file, or delete it if that process is not a sandbox.`
      )
    }
    yield* fs.remove(path)
  }).pipe(Effect.mapError(toReadyFileError(path)))

/** Writes the file atomically. Closing the scope removes it, unless another sandbox has replaced it. */
export const write = (path: string, url: string) =>
  Effect.gen(function* () {
    const fs = yield* FileSystem.FileSystem
    const text = `${yield* Effect.orDie(Schema.encode(Content)({ url, pid: process.pid }))}\n`
    const temporary = join(dirname(path), `.${basename(path)}.${randomUUID()}.tmp`)
    yield* Effect.acquireRelease(
      fs.writeFileString(temporary, text, { flag: "wx" }).pipe(
        Effect.zipRight(fs.rename(temporary, path)),
        Effect.onError(() => Effect.ignore(fs.remove(temporary)))
      ),
      () =>
        fs.readFileString(path).pipe(
          Effect.flatMap((current) => (current === text ? fs.remove(path) : Effect.void)),
          Effect.ignore
        )
    )
  }).pipe(Effect.mapError(toReadyFileError(path)))
