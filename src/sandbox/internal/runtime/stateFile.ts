/** Stores the state of a sandbox in a file, to which each change is appended. */
import * as FileSystem from "@effect/platform/FileSystem"
import * as Cause from "effect/Cause"
import * as Chunk from "effect/Chunk"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as ExecutionStrategy from "effect/ExecutionStrategy"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Option from "effect/Option"
import * as Random from "effect/Random"
import * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import { reconcile } from "../model/reconcile.js"
import { SandboxError } from "../model/sandboxError.js"
import type { State } from "../model/state.js"
import type { PersistState } from "./runtime.js"
import * as stateText from "./stateText.js"

/** Size of the appended changes in bytes from which the file is compacted, if they are also larger than the snapshot. */
const compactionThreshold = 16 * 1024 * 1024

/** Number of characters of a snapshot to write at once. */
const writeSize = 256 * 1024

interface OpenStateFile {
  readonly opened: FileSystem.File
  readonly close: Effect.Effect<void>
  readonly size: bigint
  /** Size of the snapshot at the beginning of the file, in bytes. */
  readonly snapshotSize: bigint
  readonly checksum: string
  /** True if the file may end in an incomplete line, so that nothing can be appended. */
  readonly isTorn: boolean
}

/** Reads the state from a file if the file exists, and opens the file for changes. Returns the state and the function that writes. */
export const open = (path: string, initial: State) =>
  Effect.gen(function* () {
    const fs = yield* FileSystem.FileSystem
    const file = yield* resolveLink(path)
    const state = (yield* fs.exists(file)) ? yield* readState(path, file, initial) : initial
    yield* removeTemporaryFiles(file)
    const scope = yield* Effect.scope
    const lock = yield* Effect.makeSemaphore(1)
    const createSnapshot = (state: State) => createTemporaryFile(file, state, scope)

    let current = yield* Effect.flatMap(createSnapshot(state), moveIntoPlace(file))
    /** The compaction in progress, and the lines that were written since it began. */
    let compaction:
      | { readonly missed: Array<string>; readonly fiber: Fiber.Fiber<void> }
      | undefined

    const switchTo = (compacted: OpenStateFile) =>
      Effect.suspend(() => {
        const { close } = current
        current = compacted
        return close
      })

    const compact = (state: State, backlog: Array<string>) =>
      Effect.gen(function* () {
        let compacted = yield* createSnapshot(state)
        yield* Effect.gen(function* () {
          // calls continue during these rounds, so that few lines remain for the last append, which blocks calls
          for (let round = 0; round < 8 && backlog.length > 64; round++) {
            compacted = yield* append(compacted, backlog.splice(0))
          }
          yield* Effect.suspend(() => append(compacted, backlog.splice(0))).pipe(
            Effect.flatMap(moveIntoPlace(file)),
            Effect.flatMap(switchTo),
            Effect.uninterruptible,
            lock.withPermits(1)
          )
        }).pipe(Effect.onError(() => discardTemporaryFile(compacted)))
      }).pipe(
        Effect.catchAllCause((cause) =>
          Cause.isInterruptedOnly(cause)
            ? Effect.void
            : Effect.suspend(() => {
                // the old file is still complete. Compacts it again when it has doubled in size
                current = { ...current, snapshotSize: current.size }
                return Effect.logWarning(
                  `The state file ${path} cannot be compacted and keeps growing. It is still complete.`,
                  cause
                )
              })
        ),
        Effect.ensuring(
          Effect.sync(() => {
            compaction = undefined
          })
        )
      )

    const replace = (state: State) =>
      Effect.gen(function* () {
        // interrupts a compaction, because it writes the old state
        if (compaction !== undefined) yield* Fiber.interrupt(compaction.fiber)
        yield* Effect.flatMap(Effect.flatMap(createSnapshot(state), moveIntoPlace(file)), switchTo)
      })

    const appendChanges = (state: State) =>
      Effect.gen(function* () {
        const content = stateText.encodeChanges(Chunk.toReadonlyArray(state.pendingChanges))
        current = yield* Effect.tapError(append(current, [content]), () =>
          Effect.suspend(() => {
            const { opened, size } = current
            return Effect.catchAll(opened.truncate(size), () => {
              current = { ...current, isTorn: true }
              return Effect.void
            })
          })
        )
        compaction?.missed.push(content)
        const grown = current.size - current.snapshotSize
        if (
          compaction === undefined &&
          grown > compactionThreshold &&
          grown > current.snapshotSize
        ) {
          const backlog: Array<string> = []
          const fiber = yield* Effect.forkIn(Effect.interruptible(compact(state, backlog)), scope)
          compaction = { missed: backlog, fiber }
        }
      })

    let isFailing = false
    const logFailure = (error: { readonly message: string }) =>
      Effect.suspend(() => {
        if (isFailing) return Effect.void
        isFailing = true
        return Effect.logError(
          `The state file ${path} cannot be written: ${error.message}. Until it can, calls fail and change nothing.`
        )
      })
    const logRecovery = Effect.suspend(() => {
      if (!isFailing) return Effect.void
      isFailing = false
      return Effect.logInfo(`The state file ${path} can be written again.`)
    })

    const write: PersistState = (state) =>
      Effect.suspend(() =>
        state.isReplaced || current.isTorn ? replace(state) : appendChanges(state)
      ).pipe(
        lock.withPermits(1),
        Effect.provideService(FileSystem.FileSystem, fs),
        Effect.tapBoth({ onFailure: logFailure, onSuccess: () => logRecovery }),
        Effect.orDie
      )
    return { state, write }
  })

/** Follows a symbolic link, so that the target of the link is replaced and not the link itself. */
const resolveLink = (path: string) =>
  Effect.gen(function* () {
    const fs = yield* FileSystem.FileSystem
    if (yield* fs.exists(path)) return yield* fs.realPath(path)
    const link = yield* Effect.option(fs.readLink(path))
    return Option.isNone(link)
      ? path
      : yield* new SandboxError({
          reason: `${path} is a link to ${link.value}, which does not exist. Remove the link, or create its target's folder and name the target.`
        })
  })

/** Reads the state from a file. Fails if the file is invalid, and does not change it. */
const readState = (path: string, file: string, initial: State) =>
  Effect.gen(function* () {
    const fs = yield* FileSystem.FileSystem
    const reader = stateText.makeReader(initial)
    const invalidFile = (reason: string) =>
      new SandboxError({
        reason: `${path}, ${reason}. The file was not changed: put a copy of it in its place, or move it away (or name another) to begin with nothing.`
      })
    yield* Stream.runForEach(fs.stream(file), (bytes) =>
      Either.mapLeft(reader.read(bytes), invalidFile)
    )
    const { droppedBytes, progress } = yield* Either.mapLeft(reader.end(), invalidFile)
    if (droppedBytes > 0) {
      yield* Effect.logWarning(
        `${path} ended in a line that was cut short after ${droppedBytes} bytes, as when a sandbox is killed during a write. The line was dropped: its call got no response. Everything before it was read.`
      )
    }
    const clock = yield* Clock.currentTimeMillis
    return reconcile(progress.state, clock + progress.state.offset)
  })

/** Removes the temporary files that killed processes have left. */
const removeTemporaryFiles = (file: string) =>
  Effect.gen(function* () {
    const fs = yield* FileSystem.FileSystem
    const slash = Math.max(file.lastIndexOf("/"), file.lastIndexOf("\\"))
    const [folder, name] = [file.slice(0, slash + 1), file.slice(slash + 1)]
    const names = yield* fs.readDirectory(folder === "" ? "." : folder)
    yield* Effect.forEach(
      names.filter(
        (other) => other.startsWith(name) && /^\.[0-9a-f]{16}\.new$/.test(other.slice(name.length))
      ),
      (other) => Effect.ignore(fs.remove(`${folder}${other}`))
    )
  })

/** Creates a temporary file in the folder of `file`, with a snapshot of the state. */
const createTemporaryFile = (file: string, state: State, parent: Scope.Scope) =>
  Effect.gen(function* () {
    const fs = yield* FileSystem.FileSystem
    const [left, right] = [
      yield* Random.nextIntBetween(0, 2 ** 32),
      yield* Random.nextIntBetween(0, 2 ** 32)
    ]
    const name = `${file}.${hex(left)}${hex(right)}.new`
    const scope = yield* Scope.fork(parent, ExecutionStrategy.sequential)
    // opens exclusively, so that no link is followed and no wider mode of an existing file is kept
    const opened = yield* fs.open(name, { flag: "ax", mode: 0o600 }).pipe(
      Scope.extend(scope),
      Effect.onError((cause) => Scope.close(scope, Exit.failCause(cause)))
    )
    const started = {
      name,
      opened,
      close: Scope.close(scope, Exit.void),
      size: 0n,
      snapshotSize: 0n,
      checksum: "",
      isTorn: false
    }
    return yield* writeSnapshot(started, state).pipe(
      Effect.onError(() => discardTemporaryFile(started))
    )
  })

/** A file that will replace the state file. */
interface TemporaryFile extends OpenStateFile {
  readonly name: string
}

const writeSnapshot = (started: TemporaryFile, state: State) =>
  Effect.gen(function* () {
    let { checksum, size } = started
    let buffered = ""
    const flush = Effect.suspend(() => {
      const bytes = encoder.encode(buffered)
      buffered = ""
      size += BigInt(bytes.length)
      return started.opened.writeAll(bytes)
    })
    for (const checksummed of stateText.snapshotLines(state)) {
      buffered += checksummed.line
      checksum = checksummed.checksum
      // writes in parts, so that other fibers run between the writes
      if (buffered.length >= writeSize) yield* flush
    }
    yield* flush
    return { ...started, checksum, size, snapshotSize: size }
  })

/** Appends a line for each content. */
const append = <J extends OpenStateFile>(to: J, contents: ReadonlyArray<string>) =>
  Effect.suspend(() => {
    let { checksum } = to
    const lines = contents.map((content) => {
      const checksummed = stateText.withChecksum(checksum, content)
      checksum = checksummed.checksum
      return checksummed.line
    })
    const bytes = encoder.encode(lines.join(""))
    return Effect.as(to.opened.writeAll(bytes), {
      ...to,
      checksum,
      size: to.size + BigInt(bytes.length)
    })
  })

/** Replaces the state file atomically. Syncs the new file first, so that a crash of the machine leaves a complete file. */
const moveIntoPlace = (file: string) => (temporary: TemporaryFile) =>
  Effect.flatMap(FileSystem.FileSystem, (fs) =>
    Effect.zipRight(temporary.opened.sync, fs.rename(temporary.name, file)).pipe(
      Effect.onError(() => discardTemporaryFile(temporary)),
      Effect.as<OpenStateFile>(temporary)
    )
  )

const discardTemporaryFile = ({ close, name }: TemporaryFile) =>
  Effect.flatMap(FileSystem.FileSystem, (fs) =>
    Effect.zipRight(close, Effect.ignore(fs.remove(name)))
  )

const hex = (number: number): string => number.toString(16).padStart(8, "0")

const encoder = new TextEncoder()
