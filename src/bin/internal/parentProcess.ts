/** The process that has started this one. */
import * as Effect from "effect/Effect"
import * as Schedule from "effect/Schedule"

/**
 * `npx` ends by a signal without passing it on. It stays as long as what it runs, so without it nothing waits for this
 * process. Another parent may mean it to stay.
 */
const isNpx = process.env.npm_command === "exec" && process.env.npm_lifecycle_event === "npx"

const parentPid = process.ppid

/** Ends when the `npx` has ended that has started this process. An orphan's parent is another process. */
export const npxExited: Effect.Effect<void> = isNpx
  ? Effect.sync(() => process.ppid).pipe(
      Effect.repeat({ schedule: Schedule.spaced("250 millis"), while: (now) => now === parentPid }),
      Effect.asVoid
    )
  : Effect.never
