import { Clock, Duration, Effect } from "effect"

/** A clock that runs ahead of the machine's. */
export const clockAhead = (by: Duration.DurationInput): Clock.Clock => {
  const machine = Clock.make()
  const millis = Duration.toMillis(by)
  const now = () => machine.unsafeCurrentTimeMillis() + millis
  return {
    [Clock.ClockTypeId]: Clock.ClockTypeId,
    unsafeCurrentTimeMillis: now,
    unsafeCurrentTimeNanos: () => machine.unsafeCurrentTimeNanos() + BigInt(millis) * 1_000_000n,
    currentTimeMillis: Effect.sync(now),
    currentTimeNanos: Effect.sync(
      () => machine.unsafeCurrentTimeNanos() + BigInt(millis) * 1_000_000n
    ),
    sleep: (duration) => machine.sleep(duration)
  }
}
