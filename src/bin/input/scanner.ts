/** Streams through a machine that keeps its state from one piece of input to the next. */
import * as Cause from "effect/Cause"
import * as Channel from "effect/Channel"
import * as Chunk from "effect/Chunk"
import * as Stream from "effect/Stream"
import type { CliError } from "../internal/cliError.js"

/** The results of some input, and the fault of what follows it. */
export interface Step<Out> {
  readonly out: ReadonlyArray<Out>
  readonly failure?: CliError | undefined
}

export interface Scanner<In, Out> {
  readonly push: (input: In) => Step<Out>
  /** Only at a clean end: what was begun when reading failed is not complete. */
  readonly end: () => Step<Out>
  /** Adds the place to a failure to read. */
  readonly mapReadError: (failure: CliError) => CliError
}

/** Input is pulled when output is wanted, and everything that a step came to is put out before it fails. */
export const through =
  <In, Out>(make: () => Scanner<In, Out>) =>
  <R>(self: Stream.Stream<In, CliError, R>): Stream.Stream<Out, CliError, R> =>
    Stream.suspend(() => {
      const { mapReadError, end, push } = make()
      type Loop = Channel.Channel<
        Chunk.Chunk<Out>,
        Chunk.Chunk<In>,
        CliError,
        CliError,
        unknown,
        unknown
      >
      const emit = ({ failure, out }: Step<Out>, next: Loop): Loop => {
        const then = failure === undefined ? next : Channel.fail(failure)
        return out.length === 0
          ? then
          : Channel.zipRight(Channel.write(Chunk.unsafeFromArray(out)), then)
      }
      const each = (inputs: Chunk.Chunk<In>, from: number): Loop =>
        from === inputs.length
          ? loop
          : emit(
              push(Chunk.unsafeGet(inputs, from)),
              Channel.suspend(() => each(inputs, from + 1))
            )
      const loop: Loop = Channel.readWithCause({
        onInput: (inputs) => each(inputs, 0),
        onFailure: (cause) => Channel.failCause(Cause.map(cause, mapReadError)),
        onDone: () => emit(end(), Channel.void)
      })
      return Stream.pipeThroughChannel(self, loop)
    })
