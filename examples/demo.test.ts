/** Runs the demo as its command does. */
import { expect, it } from "@effect/vitest"
import { DateTime, Effect } from "effect"
import { prove } from "./support/proof.js"
import { runExample } from "./support/runExample.js"

// a loaded machine takes its time
const timeout = 600_000

it.live(
  "bills what was acknowledged, over a kill and a lost response",
  () =>
    Effect.gen(function* () {
      const { code, errors, output } = yield* runExample("examples/demo.ts")
      expect(errors).toBe("")
      expect(output).toMatch(/recorder B: killed by SIGKILL after \d+ acknowledgments/)
      expect(output).toMatch(
        /B again, with the same ids: 900 events are acknowledged, of which [1-9]\d* were recorded before/
      )
      expect(output.match(/ accepted +no response, success /g)).toHaveLength(6)
      expect(output).toContain("7,188 units acknowledged")
      expect(output).toContain("acknowledged = recorded = billed: the same in each of 24 ")
      expect(code).toBe(0)
    }),
  timeout
)

it.live(
  "exits with 1 if usage is recorded again under other ids",
  () =>
    Effect.gen(function* () {
      const { code, errors, output } = yield* runExample("examples/demo.ts", {
        args: ["--new-ids"]
      })
      expect(errors).toBe("")
      expect(output).toContain("7,188 units acknowledged")
      expect(output).toMatch(/not the same: \d+ of 24 sums differ/)
      expect(output).not.toContain("acknowledged = recorded = billed")
      expect(code).toBe(1)
    }),
  timeout
)

it("compares by customer, dimension and hour", () => {
  const hour = DateTime.unsafeMake("2026-11-24T10:00:00Z")
  const usage = { customer: "111122223333", dimension: "calls", hour, quantity: 2 }
  const nextHour = { ...usage, hour: DateTime.add(hour, { hours: 1 }) }
  const proof = prove({
    recorded: [usage, usage, nextHour, { ...usage, dimension: "documents" }],
    billed: [
      { ...usage, quantity: 3 },
      { ...nextHour, quantity: 3 },
      { ...usage, dimension: "documents" }
    ]
  })
  expect(proof).toEqual({
    entries: 3,
    units: { recorded: 8, billed: 8 },
    differences: [
      "111122223333 calls 2026-11-24T10h: 4 recorded, 3 billed",
      "111122223333 calls 2026-11-24T11h: 2 recorded, 3 billed"
    ]
  })
})
