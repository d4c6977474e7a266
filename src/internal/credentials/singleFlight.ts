/** Shares one run of an effect between concurrent callers. */
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as FiberId from "effect/FiberId"

interface Flight<A, E> {
  readonly deferred: Deferred.Deferred<A, E>
  waiting: number
  fiber?: Fiber.Fiber<unknown>
}

/**
 * Makes an effect that starts a run, or joins the current one. The run has its own fiber, which is interrupted only when its
 * last waiter is interrupted. Results are not cached.
 */
export const singleFlight = <A, E, R>(
  self: Effect.Effect<A, E, R>
): Effect.Effect<Effect.Effect<A, E>, never, R> =>
  Effect.map(Effect.context<R>(), (context) => {
    let current: Flight<A, E> | undefined

    const clear = (flight: Flight<A, E>) => {
      if (current === flight) current = undefined
    }

    const start = (flight: Flight<A, E>) =>
      self.pipe(
        Effect.ensuring(Effect.sync(() => clear(flight))),
        // a fiber that is forked in an uninterruptible region would be uninterruptible
        Effect.interruptible,
        Effect.intoDeferred(flight.deferred),
        Effect.provide(context),
        Effect.forkDaemon,
        Effect.tap((fiber) => {
          flight.fiber = fiber
        })
      )

    const leave = (flight: Flight<A, E>) =>
      Effect.suspend(() => {
        flight.waiting -= 1
        if (flight.waiting > 0 || current !== flight) return Effect.void
        clear(flight)
        return flight.fiber === undefined ? Effect.void : Fiber.interruptFork(flight.fiber)
      })

    return Effect.uninterruptibleMask((restore) =>
      Effect.suspend(() => {
        const isFirst = current === undefined
        const flight = (current ??= { deferred: Deferred.unsafeMake(FiberId.none), waiting: 0 })
        flight.waiting += 1
        return (isFirst ? start(flight) : Effect.void).pipe(
          Effect.zipRight(restore(Deferred.await(flight.deferred))),
          Effect.ensuring(leave(flight))
        )
      })
    )
  })
