/** Scanners, which transform a stream synchronously and keep state between its inputs. */
import * as Cause from "effect/Cause"
import * as Channel from "effect/Channel"
import * as Chunk from "effect/Chunk"
import * as Stream from "effect/Stream"
import { CliError } from "../internal/cliError.js"
import { formatCount } from "../output/format.js"

/** The outputs for one input, and the failure after them, if any. */
export interface Step<Out> {
  readonly out: ReadonlyArray<Out>
  readonly failure?: CliError | undefined
}

export interface Scanner<In, Out> {
  readonly push: (input: In) => Step<Out>
  /** Called at the end of the input. Not called after a read error, because the last row is then incomplete. */
  readonly end: () => Step<Out>
  /** Adds the position in the input to a read error. */
  readonly mapReadError: (error: CliError) => CliError
}

/** Adds the number of the first line that was not read to the message of an error. */
export const withUnreadLine =
  (line: number) =>
  ({ exitCode, message }: CliError): CliError =>
    new CliError({
      exitCode,
      message: `${message} Nothing from line ${formatCount(line)} on was read.`
    })

/** Transforms the steps of a scanner. */
export const mapSteps = <In, A, B>(
  self: Scanner<In, A>,
  f: (step: Step<A>, isEnd: boolean) => Step<B>
): Scanner<In, B> => ({
  push: (input) => f(self.push(input), false),
  end: () => f(self.end(), true),
  mapReadError: self.mapReadError
})

/** Applies a scanner to a stream. Pulls input only when output is requested. Emits the outputs of a step before its failure. */
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
