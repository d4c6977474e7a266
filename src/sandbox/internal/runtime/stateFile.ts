/** A sandbox's state in a file: a snapshot, and after it every change as it comes. */
import * as FileSystem from "@effect/platform/FileSystem"
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as ExecutionStrategy from "effect/ExecutionStrategy"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Option from "effect/Option"
import * as Random from "effect/Random"
import * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import { SandboxError } from "../model/sandboxError.js"
import type { State } from "../model/state.js"
import * as eventLog from "./eventLog.js"
import type { PersistState } from "./runtime.js"

/** The number of bytes of changes that, with as many as the snapshot has, are too many to read at a start. */
const compactionThreshold = 16 * 1024 * 1024

/** The number of bytes that are written at once. */
const writeSize = 256 * 1024

/** A file that is open for changes. */
interface OpenStateFile {
  readonly opened: FileSystem.File
  readonly close: Effect.Effect<void>
  readonly size: bigint
  /** How long it was when it was made. */
  readonly snapshotSize: bigint
  readonly checksum: string
  /** True if it may end in half a line, to which nothing must be appended. */
  readonly isTorn: boolean
}

/** Takes up the state of a file, if there is one, and opens it for changes to come. */
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
    /** A shorter file that is being written, and the contents of lines that it does not have. */
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
          // there is less to catch up with each time
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
                // the old one has everything; another is tried when it has grown as much again
                current = { ...current, snapshotSize: current.size }
                return Effect.logWarning(
                  `The state file ${path} cannot be compacted and goes on growing. Nothing is lost.`,
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
        // it is of the state that was replaced
        if (compaction !== undefined) yield* Fiber.interrupt(compaction.fiber)
        yield* Effect.flatMap(Effect.flatMap(createSnapshot(state), moveIntoPlace(file)), switchTo)
      })

    const appendChanges = (state: State) =>
      Effect.gen(function* () {
        const content = eventLog.encodeChanges(state.pendingChanges)
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

    const write: PersistState = (state) =>
      Effect.suspend(() =>
        state.isReplaced || current.isTorn ? replace(state) : appendChanges(state)
      ).pipe(
        lock.withPermits(1),
        Effect.provideService(FileSystem.FileSystem, fs),
        Effect.tapError((error) =>
          Effect.logError(
            `The state file ${path} cannot be written: ${error.message}. The call that it was for is answered by an error, and changes nothing.`
          )
        ),
        Effect.orDie
      )
    return { state, write }
  })

/** The file that a path leads to: a link stays one, and what it leads to is replaced. */
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

/** The state of a file. What is wrong with it is told, and it is left as it is. */
const readState = (path: string, file: string, initial: State) =>
  Effect.gen(function* () {
    const fs = yield* FileSystem.FileSystem
    const reader = eventLog.makeReader(initial)
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
        `${path} ended in a line that was cut short after ${droppedBytes} bytes, as when a sandbox is killed while it writes. The line was dropped: the call that it was for was never answered. Everything before it is there.`
      )
    }
    return progress.state
  })

/** Removes files of sandboxes that were killed while they wrote. */
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

/** A new file beside another, with a state and no more. */
const createTemporaryFile = (file: string, state: State, parent: Scope.Scope) =>
  Effect.gen(function* () {
    const fs = yield* FileSystem.FileSystem
    const [left, right] = [
      yield* Random.nextIntBetween(0, 2 ** 32),
      yield* Random.nextIntBetween(0, 2 ** 32)
    ]
    const name = `${file}.${hex(left)}${hex(right)}.new`
    const scope = yield* Scope.fork(parent, ExecutionStrategy.sequential)
    // exclusively, so that no link is followed and no wider mode is kept
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

/** A file beside the one whose place it is to take. */
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
    for (const checksummed of eventLog.snapshotLines(state)) {
      buffered += checksummed.line
      checksum = checksummed.checksum
      // calls have their turn while it is written
      if (buffered.length >= writeSize) yield* flush
    }
    yield* flush
    return { ...started, checksum, size, snapshotSize: size }
  })

/** The file with lines more. */
const append = <J extends OpenStateFile>(to: J, contents: ReadonlyArray<string>) =>
  Effect.suspend(() => {
    let { checksum } = to
    const lines = contents.map((content) => {
      const checksummed = eventLog.withChecksum(checksum, content)
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

/** Whole or not at all: a reader that comes between finds the old one, as does one after a crash of the machine. */
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
