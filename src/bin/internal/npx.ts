/** Detects the exit of `npx` as the parent of this process. */
import * as Effect from "effect/Effect"
import * as Schedule from "effect/Schedule"

const isNpx = process.env.npm_command === "exec" && process.env.npm_lifecycle_event === "npx"

const parentPid = process.ppid

/**
 * Completes when the parent `npx` exits, which is when the parent process id changes. `npx` normally outlives its command, but
 * exits on a signal without forwarding it. Then nothing waits for this process any more. Other parents are not watched, because
 * they may leave this process in the background.
 */
export const npxExited: Effect.Effect<void> = isNpx
  ? Effect.sync(() => process.ppid).pipe(
      Effect.repeat({ schedule: Schedule.spaced("250 millis"), while: (now) => now === parentPid }),
      Effect.asVoid
    )
  : Effect.never
