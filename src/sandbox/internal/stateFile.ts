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
import type { Write } from "./engine.js"
import * as journal from "./journal.js"
import { SandboxError } from "./sandboxError.js"
import type { State } from "./state.js"

/** The number of bytes of changes that, with as many as the snapshot has, are too many to read at a start. */
const manyBytes = 16 * 1024 * 1024

/** The number of bytes that are written at once. */
const pieceLength = 256 * 1024

/** A file that is open for changes. */
interface Journal {
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
    const file = yield* targetOf(path)
    const state = (yield* fs.exists(file)) ? yield* read(path, file, initial) : initial
    yield* removeLeftovers(file)
    const scope = yield* Effect.scope
    const lock = yield* Effect.makeSemaphore(1)
    const begin = (state: State) => snapshot(file, state, scope)

    let current = yield* Effect.flatMap(begin(state), publish(file))
    /** A shorter file that is being written, and the contents of lines that it does not have. */
    let next: { readonly missed: Array<string>; readonly fiber: Fiber.Fiber<void> } | undefined

    const become = (journal: Journal) =>
      Effect.suspend(() => {
        const { close } = current
        current = journal
        return close
      })

    const compact = (state: State, missed: Array<string>) =>
      Effect.gen(function* () {
        let journal = yield* begin(state)
        yield* Effect.gen(function* () {
          // there is less to catch up with each time
          for (let times = 0; times < 8 && missed.length > 64; times++) {
            journal = yield* append(journal, missed.splice(0))
          }
          yield* Effect.suspend(() => append(journal, missed.splice(0))).pipe(
            Effect.flatMap(publish(file)),
            Effect.flatMap(become),
            Effect.uninterruptible,
            lock.withPermits(1)
          )
        }).pipe(Effect.onError(() => discard(journal)))
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
            next = undefined
          })
        )
      )

    const replace = (state: State) =>
      Effect.gen(function* () {
        // it is of the state that was replaced
        if (next !== undefined) yield* Fiber.interrupt(next.fiber)
        yield* Effect.flatMap(Effect.flatMap(begin(state), publish(file)), become)
      })

    const add = (state: State) =>
      Effect.gen(function* () {
        const content = journal.contentOf(state.unwritten)
        current = yield* Effect.tapError(append(current, [content]), () =>
          Effect.suspend(() => {
            const { opened, size } = current
            return Effect.catchAll(opened.truncate(size), () => {
              current = { ...current, isTorn: true }
              return Effect.void
            })
          })
        )
        next?.missed.push(content)
        const grown = current.size - current.snapshotSize
        if (next === undefined && grown > manyBytes && grown > current.snapshotSize) {
          const missed: Array<string> = []
          const fiber = yield* Effect.forkIn(Effect.interruptible(compact(state, missed)), scope)
          next = { missed, fiber }
        }
      })

    const write: Write = (state) =>
      Effect.suspend(() => (state.isReplaced || current.isTorn ? replace(state) : add(state))).pipe(
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
const targetOf = (path: string) =>
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
const read = (path: string, file: string, initial: State) =>
  Effect.gen(function* () {
    const fs = yield* FileSystem.FileSystem
    const reader = journal.reader(initial)
    const refused = (reason: string) =>
      new SandboxError({
        reason: `${path}, ${reason}. The file was not changed: put a copy of it in its place, or move it away (or name another) to begin with nothing.`
      })
    yield* Stream.runForEach(fs.stream(file), (bytes) =>
      Either.mapLeft(reader.read(bytes), refused)
    )
    const { dropped, progress } = yield* Either.mapLeft(reader.end(), refused)
    if (dropped > 0) {
      yield* Effect.logWarning(
        `${path} ended in a line that was cut short after ${dropped} bytes, as when a sandbox is killed while it writes. The line was dropped: the call that it was for was never answered. Everything before it is there.`
      )
    }
    return progress.state
  })

/** Removes files of sandboxes that were killed while they wrote. */
const removeLeftovers = (file: string) =>
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
const snapshot = (file: string, state: State, parent: Scope.Scope) =>
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
    return yield* writeSnapshot(started, state).pipe(Effect.onError(() => discard(started)))
  })

/** A file beside the one whose place it is to take. */
interface Unpublished extends Journal {
  readonly name: string
}

const writeSnapshot = (started: Unpublished, state: State) =>
  Effect.gen(function* () {
    let { checksum, size } = started
    let piece = ""
    const flush = Effect.suspend(() => {
      const bytes = encoder.encode(piece)
      piece = ""
      size += BigInt(bytes.length)
      return started.opened.writeAll(bytes)
    })
    for (const sealed of journal.linesOf(state)) {
      piece += sealed.line
      checksum = sealed.checksum
      // calls have their turn while it is written
      if (piece.length >= pieceLength) yield* flush
    }
    yield* flush
    return { ...started, checksum, size, snapshotSize: size }
  })

/** The file with lines more. */
const append = <J extends Journal>(to: J, contents: ReadonlyArray<string>) =>
  Effect.suspend(() => {
    let { checksum } = to
    const lines = contents.map((content) => {
      const sealed = journal.seal(checksum, content)
      checksum = sealed.checksum
      return sealed.line
    })
    const bytes = encoder.encode(lines.join(""))
    return Effect.as(to.opened.writeAll(bytes), {
      ...to,
      checksum,
      size: to.size + BigInt(bytes.length)
    })
  })

/** Whole or not at all: a reader that comes between finds the old one, as does one after a crash of the machine. */
const publish = (file: string) => (written: Unpublished) =>
  Effect.flatMap(FileSystem.FileSystem, (fs) =>
    Effect.zipRight(written.opened.sync, fs.rename(written.name, file)).pipe(
      Effect.onError(() => discard(written)),
      Effect.as<Journal>(written)
    )
  )

const discard = ({ close, name }: Unpublished) =>
  Effect.flatMap(FileSystem.FileSystem, (fs) =>
    Effect.zipRight(close, Effect.ignore(fs.remove(name)))
  )

const hex = (number: number): string => number.toString(16).padStart(8, "0")

const encoder = new TextEncoder()
