/** `npx` as the parent of this process. */
import * as Effect from "effect/Effect"
import * as Schedule from "effect/Schedule"

const isNpx = process.env.npm_command === "exec" && process.env.npm_lifecycle_event === "npx"

const parentPid = process.ppid

/**
 * Ends when the parent `npx` exits. It exits by a signal without forwarding it, and lives as long as its command, so once it has
 * gone nothing waits for this process. Other parents may leave it in the background. An orphan gets another parent.
 */
export const npxExited: Effect.Effect<void> = isNpx
  ? Effect.sync(() => process.ppid).pipe(
      Effect.repeat({ schedule: Schedule.spaced("250 millis"), while: (now) => now === parentPid }),
      Effect.asVoid
    )
  : Effect.never
