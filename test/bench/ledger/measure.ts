/** Rates, times of calls and delays of the event loop, measured over windows of time. */
import { monitorEventLoopDelay } from "node:perf_hooks"
import * as Effect from "effect/Effect"

export interface Window {
  /** Events per second. */
  readonly rate: number
  /** CPU time of the process per event, in microseconds. Other load changes it less than the rate. */
  readonly cpu: number
  /** Milliseconds of each call, in ascending order. */
  readonly calls: ReadonlyArray<number>
  /** 99th percentile of the delay of the event loop, in milliseconds. */
  readonly loopDelay: number
}

/** Runs a call again and again in each of `fibers` fibers. The call returns its number of events. */
export const measureWindow = <E>(
  { fibers, seconds }: { readonly fibers: number; readonly seconds: number },
  call: Effect.Effect<number, E>
): Effect.Effect<Window, E> =>
  Effect.gen(function* () {
    const calls: Array<number> = []
    let events = 0
    const delay = monitorEventLoopDelay({ resolution: 1 })
    yield* nextTurn
    delay.enable()
    const cpuBefore = process.cpuUsage()
    const start = performance.now()
    const end = start + seconds * 1_000
    const countedCall = Effect.suspend(() => {
      const before = performance.now()
      return Effect.map(call, (count) => {
        events += count
        calls.push(performance.now() - before)
      })
    })
    // at least once, also on a machine that takes longer than the window to start
    const fiber = Effect.zipRight(
      countedCall,
      Effect.whileLoop({
        while: () => performance.now() < end,
        body: () => countedCall,
        step: () => {}
      })
    )
    yield* Effect.forEach(Array.from({ length: fibers }), () => fiber, {
      concurrency: "unbounded",
      discard: true
    })
    const rate = (events * 1_000) / (performance.now() - start)
    const { system, user } = process.cpuUsage(cpuBefore)
    // the last delay is seen in the next turn
    yield* nextTurn
    delay.disable()
    return {
      rate,
      cpu: (user + system) / events,
      calls: calls.sort((a, b) => a - b),
      loopDelay: Math.max(0, delay.percentile(99) / 1e6 - 1)
    }
  })

/** Lets the event loop run its timers. */
export const nextTurn: Effect.Effect<void> = Effect.promise(
  () => new Promise((resolve) => setTimeout(resolve, 2))
)

/** Lets the event loop handle what has arrived, as between two requests. */
export const yieldToLoop: Effect.Effect<void> = Effect.async((resume) => {
  setImmediate(() => resume(Effect.void))
})

export const percentile = (sorted: ReadonlyArray<number>, part: number): number =>
  sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * part))] ?? 0

export const median = (values: ReadonlyArray<number>): number =>
  percentile(
    [...values].sort((a, b) => a - b),
    0.5
  )

/** Windows of the same time, or one after the other, as one. */
export const mergeWindows = (
  windows: ReadonlyArray<Window>,
  rateOf: (rates: ReadonlyArray<number>) => number
): Window => ({
  rate: rateOf(windows.map(({ rate }) => rate)),
  cpu: median(windows.map(({ cpu }) => cpu)),
  calls: windows.flatMap(({ calls }) => calls).sort((a, b) => a - b),
  loopDelay: median(windows.map(({ loopDelay }) => loopDelay))
})

export interface Comparison {
  readonly window: Window
  readonly bare: Window
  /** Median of the ratios of the rounds. */
  readonly ratio: number
}

/** Measures by turns, so that other load of the machine falls on both. Rates are medians of the rounds. */
export const compare = <E1, E2>(
  rounds: number,
  bare: Effect.Effect<Window, E1>,
  measured: Effect.Effect<Window, E2>
): Effect.Effect<Comparison, E1 | E2> =>
  Effect.gen(function* () {
    const pairs: Array<readonly [bare: Window, window: Window]> = []
    for (let round = 0; round < rounds; round += 1) {
      pairs.push([yield* bare, yield* measured])
    }
    return {
      window: mergeWindows(
        pairs.map(([, window]) => window),
        median
      ),
      bare: mergeWindows(
        pairs.map(([bare]) => bare),
        median
      ),
      ratio: median(pairs.map(([bare, { rate }]) => rate / bare.rate))
    }
  })
