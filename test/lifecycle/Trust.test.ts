import { describe, expect, it } from "@effect/vitest"
import { Cause, Effect, Exit, FastCheck as fc, Redacted } from "effect"
import { MarketplaceEvent, Trust } from "effect-marketplace-metering/lifecycle"

const secret = "correct horse battery"

const reasonOf = (header: string | undefined, expected = secret) =>
  Effect.map(
    Effect.flip(Trust.checkSecret(header, Redacted.make(expected))),
    ({ reason }) => reason
  )

describe("checkSecret", () => {
  it.effect("returns evidence for the secret, kept with the event", () =>
    Effect.gen(function* () {
      const trust = yield* Trust.checkSecret(secret, Redacted.make(secret))
      const [result] = MarketplaceEvent.decode({}, trust)
      expect(result).toMatchObject({ right: { trust: "Secret" } })
    })
  )

  it.effect("fails without the header", () =>
    Effect.gen(function* () {
      expect(yield* reasonOf(undefined)).toBe("missing")
      expect(yield* reasonOf("")).toBe("mismatch")
    })
  )

  it.effect("fails for a secret that is easy to guess, also with the same header", () =>
    Effect.gen(function* () {
      expect(yield* reasonOf("123456789012345", "123456789012345")).toBe("tooShort")
      expect(yield* reasonOf("", "")).toBe("tooShort")
    })
  )

  it.effect.prop(
    "fails for any other header",
    [
      fc.oneof(
        fc.string(),
        fc.string({ minLength: 1 }).map((text) => secret + text),
        fc.string({ minLength: 1 }).map((text) => text + secret),
        fc.nat(secret.length - 1).map((length) => secret.slice(0, length)),
        fc.nat(secret.length - 1).map((i) => `${secret.slice(0, i)}_${secret.slice(i + 1)}`)
      )
    ],
    ([header]) =>
      Effect.gen(function* () {
        expect(yield* reasonOf(header)).toBe("mismatch")
      })
  )

  it.effect("shows neither the header nor the secret", () =>
    Effect.gen(function* () {
      const exit = yield* Effect.exit(Trust.checkSecret("another value", Redacted.make(secret)))
      const shown = Exit.match(exit, { onSuccess: String, onFailure: Cause.pretty })
      expect(shown).toContain("the header has another secret")
      expect(JSON.stringify(exit) + shown).not.toMatch(/another value|horse/)
    })
  )
})
