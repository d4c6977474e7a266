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

const sdkExample = "new MarketplaceMeteringClient().send("

describe("what the README says to a shell", () => {
  const { run, start } = command()

  const shell = (text: string, env: Record<string, string> = {}) =>
    execFileSync("bash", ["--norc", "-euc", text], {
      encoding: "utf8",
      env: { PATH: process.env.PATH, AWS_EC2_METADATA_DISABLED: "true", ...env }
    })

  /** Where it listens unless told otherwise, as the command says itself. */
  const address = async () => {
    const { stdout } = await run(["sandbox", "--help"])
    const [, host] = /on, ([\d.]+) unless given/.exec(stdout.replace(/\s+/g, " ")) ?? []
    const [, port] = /listens, (\d+) unless given/.exec(stdout.replace(/\s+/g, " ")) ?? []
    return `http://${host}:${port}`
  }

  /** The same at the port that is free here. */
  const sandbox = async () => {
    const { child, until } = start(["sandbox", "--port", "0"])
    const [url] = await until(/http:\/\/127\.0\.0\.1:\d+/)
    const written = await address()
    return { child, here: (code: string) => code.replaceAll(written, url) }
  }

  it("controls a sandbox", async () => {
    const { child, here } = await sandbox()
    const calls = blocks("sh").filter((code) => code.includes("curl"))
    const script = [`curl() { command curl --fail-with-body "$@"; echo; }`, ...calls].join("\n")
    const answers = shell(here(script))
    child.kill("SIGTERM")
    expect(calls).toHaveLength(4)
    expect(answers).toContain("registrationToken")
    expect(answers).toContain("cancelledAt")
  })

  it("leads a program of another SDK to a sandbox", async () => {
    const [environment = "", ...others] = blocks("sh").filter((code) => code.startsWith("export "))
    const [program = "", ...more] = blocks("ts").filter((code) => code.includes(sdkExample))
    expect([others, more]).toEqual([[], []])
    // what it prints is told beside
    const [, told] = /console\.log\(.*\) \/\/ (.*)$/m.exec(program) ?? []
    const { child, here } = await sandbox()
    const printed = shell(
      `${here(environment)}\n"$NODE" --no-warnings --input-type=module -e "$PROGRAM"`,
      {
        NODE: process.execPath,
        PROGRAM: program
      }
    )
    child.kill("SIGTERM")
    expect(printed.trim()).toBe(told)
  })

  it("is the address that it listens on", async () => {
    const written = readme.match(/http:\/\/127\.0\.0\.1:\d+/g) ?? []
    expect(written.length).toBeGreaterThan(1)
    expect(new Set(written)).toEqual(new Set([await address()]))
    expect(readme).toContain(`port ${new URL(await address()).port}`)
  })
})

it("the README's scenario is one", () => {
  const [scenario = "", ...others] = blocks("json")
  expect(others).toEqual([])
  expect(Either.getOrThrow(Scenario.fromJson(scenario)).region).toBe("eu-west-1")
})
