import { describe, expect, it } from "@effect/vitest"
import { maxTextLength, redactor } from "../../../src/internal/client/redact.js"

const token = "FwoGZXIvYXdzEBYaDK/3+bJmQ2xp0VnT8LrUeQ/hYg7s+Kc9dW1aZ4NjPqRfMiXo=="
const redact = redactor(() => ["sandbox", "k3y-0123", undefined, "", token])

describe("a text from a server is redacted", () => {
  const htmlEscaped = token.replaceAll("/", "&#x2F;").replaceAll("+", "&#43;")
  it.each([
    ["as it is", token],
    ["cut off behind", token.slice(0, 20)],
    ["cut off before", token.slice(-20)],
    ["encoded for a URL", encodeURIComponent(token)],
    ["encoded twice", encodeURIComponent(encodeURIComponent(token))],
    ["encoded in lower case", token.replaceAll("/", "%2f").replaceAll("+", "%2b")],
    ["escaped for HTML", htmlEscaped],
    ["escaped for JSON", token.replaceAll("/", "\\/")],
    ["as a JWT", "eyJhbGciOiJQUzI1NiJ9.eyJwIjoiYSJ9.c2ln"],
    ["with a plus that became a space", token.replaceAll("+", " ").split(" ")[0] ?? ""],
    ["cut off to twelve characters", token.slice(7, 19)],
    ["short", "k3y-0123"]
  ])("%s", (_, echo) => {
    expect(redact(`You sent "${echo}" to us`)).toBe('You sent "<redacted>" to us')
  })

  it("in a header, with white space in it", () => {
    const odd = redactor(() => ["aB3 dE6+gH9 jK2/mN5 pQ8=sT1 vW4"])
    expect(odd("token:aB3 dE6+gH9 jK2/mN5 pQ8=sT1 vW4;next")).toBe("token:<redacted>;next")
    expect(redact(`x-amz-security-token:${token};next`)).not.toContain(token.slice(0, 12))
  })

  it("keeps other text, even an ordinary word that is a secret", () => {
    const said = "The sandbox (request 0d5a6e1c-8f2b-4c3d-9e7f-a1b2c3d4e5f6) takes no FwoGZXIvYXd"
    expect(redact(said)).toBe(said)
  })

  it("truncates a long text without leaving a fragment of a secret", () => {
    const words = "word ".repeat(1_000)
    expect(redact(words)).toBe(`${words.slice(0, maxTextLength - 1)}…`)
    for (let before = maxTextLength - token.length - 5; before <= maxTextLength + 5; before++) {
      const shown = redact(`${"x".repeat(before - 1)} ${token} ${words}`)
      expect(shown.length).toBeLessThanOrEqual(maxTextLength + 10)
      expect(shown).not.toContain(token.slice(0, 4))
    }
  })

  // in quadratic time, each of these takes hours
  it.each([
    ["white space", " "],
    ["beginnings of a JWT", "eyJ"],
    ["dots", "."],
    ["a JWT's dots", "eyJ."],
    ["letters", "a"],
    ["brackets", "(<"],
    ["the secret itself", token]
  ])("at once, of megabytes of %s", (_, text) => {
    const long = text.repeat(Math.ceil(8_000_000 / text.length))
    expect(redact(long).length).toBeLessThanOrEqual(maxTextLength + 10)
    expect(redact(`${long}.`).length).toBeLessThanOrEqual(maxTextLength + 10)
  })
})
