import { execFileSync } from "node:child_process"
import { readFileSync } from "node:fs"
import { Either } from "effect"
import { describe, expect, it } from "vitest"
import { Scenario } from "../../src/sandbox/index.js"
import { command } from "../bin/command.js"

const readme = readFileSync(new URL("../../README.md", import.meta.url), "utf8")
const blocks = (language: string) =>
  [...readme.matchAll(new RegExp(`^\`\`\`${language}\\n([^]*?)^\`\`\``, "gm"))].map(
    ([, code = ""]) => code
  )

const address = "http://127.0.0.1:4598"

describe("what the README says to a shell", () => {
  const { start } = command()

  it("controls a sandbox", async () => {
    const { child, until } = start(["sandbox", "--port", "0"])
    const [url] = await until(/http:\/\/127\.0\.0\.1:\d+/)
    const calls = blocks("sh").filter((code) => code.includes("curl"))
    const script = [`curl() { command curl --fail-with-body "$@"; echo; }`, ...calls].join("\n")
    const answers = execFileSync("bash", ["-euc", script.replaceAll(address, url)], {
      encoding: "utf8"
    })
    child.kill("SIGTERM")
    expect(calls).toHaveLength(4)
    expect(answers).toContain("registrationToken")
    expect(answers).toContain("cancelledAt")
  })

  it("is the port that it listens on", () => {
    expect(readme.match(/127\.0\.0\.1:\d+/g)?.every((host) => address.endsWith(host))).toBe(true)
  })
})

it("the README's scenario is one", () => {
  const [scenario = "", ...others] = blocks("json")
  expect(others).toEqual([])
  expect(Either.getOrThrow(Scenario.fromJson(scenario)).region).toBe("eu-west-1")
})
