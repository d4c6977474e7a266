/** Two processes that record usage, one of which is killed. */
import * as NodeStream from "@effect/platform-node/NodeStream"
import { Effect, Schema, Stream } from "effect"
import { fact } from "./print.js"
import { end, type Program, start } from "./processes.js"
import type { HourlyUsage } from "./proof.js"
import { customerOf } from "./seller.js"
import { AcknowledgmentLine, type Usage, UsageLine } from "./usage.js"

interface Recording {
  /** Acknowledged usage by its id, in the hour that it is billed in. */
  readonly acknowledged: ReadonlyMap<string, HourlyUsage>
  /** The number of events that the ledger had recorded before. */
  readonly alreadyRecorded: number
}

/**
 * Lets a recorder record usage. Fails unless all is acknowledged.
 *
 * With `killAfter`, the recorder gets the first half only, and is killed by SIGKILL after that number of acknowledgments.
 */
const record = (
  recorder: Program,
  usage: ReadonlyArray<Usage>,
  options: { readonly killAfter?: number } = {}
) =>
  Effect.gen(function* () {
    const { killAfter } = options
    const sent = killAfter === undefined ? usage : usage.slice(0, usage.length / 2)
    const usageOf = new Map(sent.map((one) => [one.id, one]))
    const lines = yield* Effect.forEach(sent, (one) => Schema.encode(UsageLine)(one))
    const child = yield* start(recorder)
    child.stdin.write(lines.map((line) => `${line}\n`).join(""))
    if (killAfter === undefined) child.stdin.end()

    const acknowledged = new Map<string, HourlyUsage>()
    let alreadyRecorded = 0
    yield* NodeStream.fromReadable(
      () => child.stdout,
      (error) => new Error(String(error))
    ).pipe(
      Stream.decodeText(),
      Stream.splitLines,
      Stream.mapEffect((line) => Schema.decode(AcknowledgmentLine)(line)),
      Stream.runForEach(({ hour, id, result }) =>
        Effect.suspend(() => {
          const one = usageOf.get(id)
          if (one === undefined) return Effect.dieMessage(`${recorder.name} was not given ${id}`)
          const { dimension, quantity, subscription } = one
          acknowledged.set(id, { customer: customerOf(subscription), dimension, hour, quantity })
          if (result === "AlreadyRecorded") alreadyRecorded += 1
          return acknowledged.size === killAfter ? end(child, "SIGKILL") : Effect.void
        })
      )
    )
    const code = yield* end(child)
    const isExpected =
      killAfter === undefined
        ? code === 0 && acknowledged.size === usage.length
        : acknowledged.size >= killAfter
    if (!isExpected) {
      return yield* Effect.dieMessage(
        `${recorder.name} ended with ${child.signalCode ?? code} after ${acknowledged.size} acknowledgments`
      )
    }
    return { acknowledged, alreadyRecorded } satisfies Recording
  }).pipe(Effect.scoped)

/**
 * Lets two recorders record usage at the same time. B is killed in the middle, and is started again with the same usage.
 * Returns all usage that was acknowledged, once.
 *
 * With `newIds` B records it under other ids then.
 */
export const recordByTwo = (
  program: Omit<Program, "name">,
  usage: { readonly a: ReadonlyArray<Usage>; readonly b: ReadonlyArray<Usage> },
  options: { readonly newIds?: boolean } = {}
) =>
  Effect.gen(function* () {
    const a = { ...program, name: "recorder A" }
    const b = { ...program, name: "recorder B" }
    const newIds = options.newIds ?? false
    const again = newIds ? usage.b.map((one) => ({ ...one, id: `${one.id}${suffix}` })) : usage.b
    const recordA = Effect.tap(record(a, usage.a), ({ acknowledged }) =>
      fact(`recorder A: ${acknowledged.size} events are acknowledged`)
    )
    const recordB = Effect.gen(function* () {
      const first = yield* record(b, usage.b, { killAfter: Math.floor(usage.b.length / 6) })
      yield* fact(`recorder B: killed by SIGKILL after ${first.acknowledged.size} acknowledgments`)
      const second = yield* record(b, again)
      yield* fact(
        `recorder B again, ${newIds ? "under new ids" : "with the same ids"}: ${second.acknowledged.size} events are acknowledged, ` +
          `of which ${second.alreadyRecorded} were recorded before`
      )
      return [...first.acknowledged, ...second.acknowledged]
    })
    const [ofA, ofB] = yield* Effect.all([recordA, recordB], { concurrency: 2 })
    const once = new Map(
      [...ofA.acknowledged, ...ofB].map(([id, one]) => [id.replace(suffix, ""), one])
    )
    return [...once.values()]
  })

const suffix = "/again"
