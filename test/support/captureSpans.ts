/** A tracer that collects spans. */
import * as Effect from "effect/Effect"
import * as Tracer from "effect/Tracer"

export interface CapturedSpan extends Tracer.Span {
  readonly events: ReadonlyArray<readonly [name: string, attributes: Record<string, unknown>]>
}

/** `spans` are in the order of their start. */
export const captureSpans = () => {
  const spans: Array<CapturedSpan> = []
  const tracer = Tracer.make({
    span: (name, parent, context, links, startTime, kind) => {
      const attributes = new Map<string, unknown>()
      const events: Array<readonly [string, Record<string, unknown>]> = []
      const all = [...links]
      const span: CapturedSpan = {
        _tag: "Span",
        spanId: `span-${spans.length}`,
        traceId: "trace",
        sampled: true,
        name,
        parent,
        context,
        kind,
        attributes,
        events,
        links: all,
        status: { _tag: "Started", startTime },
        attribute: (key, value) => void attributes.set(key, value),
        event: (name, _, attributes = {}) => void events.push([name, attributes]),
        addLinks: (more) => void all.push(...more),
        end: (endTime, exit) => {
          Object.assign(span, { status: { _tag: "Ended", startTime, endTime, exit } })
        }
      }
      spans.push(span)
      return span
    },
    context: (run) => run()
  })
  return {
    spans,
    trace: <A, E, R>(effect: Effect.Effect<A, E, R>): Effect.Effect<A, E, R> =>
      Effect.withTracer(effect, tracer)
  }
}
