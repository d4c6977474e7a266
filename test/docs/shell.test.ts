import { execFileSync } from "node:child_process"
import { readFileSync } from "node:fs"
import { fileURLToPath } from "node:url"
import { Either } from "effect"
import { describe, expect, it } from "vitest"
import { Scenario } from "../../src/sandbox/index.js"
import { command } from "../bin/command.js"

const readme = readFileSync(new URL("../../README.md", import.meta.url), "utf8")
const blocks = (language: string) =>
  [...readme.matchAll(new RegExp(`^\`\`\`${language}\\n([^]*?)^\`\`\``, "gm"))].map(
    ([, code = ""]) => code
  )

const curl = fileURLToPath(new URL("curl.js", import.meta.url))

const sdkExample = "new MarketplaceMeteringClient().send("

describe("what the README says to a shell", () => {
  const { run, start } = command()

  const shell = (text: string, env: Record<string, string> = {}) =>
    execFileSync("sh", ["-euc", text], {
      encoding: "utf8",
      env: {
        PATH: process.env.PATH,
        NODE: process.execPath,
        CURL: curl,
        AWS_EC2_METADATA_DISABLED: "true",
        ...env
      }
    })

  /** Where it listens unless told otherwise, as the command says itself. */
  const address = async () => {
    const { stdout } = await run(["sandbox", "--help"])
    const [, host] =
      /address to listen on\..*? Defaults to ([\d.]+)\./.exec(stdout.replace(/\s+/g, " ")) ?? []
    const [, port] =
      /port to listen on.*? Defaults to (\d+)\./.exec(stdout.replace(/\s+/g, " ")) ?? []
    return `http://${host}:${port}`
  }

  /** The same at the port that is free here. */
  const sandbox = async () => {
    const { child, until } = start(["sandbox", "--port", "0"])
    const [url] = await until(/http:\/\/127\.0\.0\.1:\d+/)
    const written = await address()
    return { child, here: (code: string) => code.replaceAll(written, url) }
  }

  it("runs in its order: a program of another SDK, the control, and the program again through the faults", async () => {
    const steps = [...readme.matchAll(/^```(sh|ts)\n([\s\S]*?)^```/gm)].filter(
      ([, language, code = ""]) =>
        language === "sh" ? /^export |curl /m.test(code) : code.includes(sdkExample)
    )
    const program = steps.find(([, language]) => language === "ts")?.[2] ?? ""
    // what it prints is told beside
    const [, told = ""] = /console\.log\(.*\) \/\/ (.*)$/m.exec(program) ?? []
    const runs = `"$NODE" --no-warnings --input-type=module -e "$PROGRAM"`
    const { child, here } = await sandbox()
    const answers = shell(
      [
        `curl() { "$NODE" "$CURL" "$@"; }`,
        // each fault is met by the program that the README has
        ...steps.map(([, language, code = ""]) =>
          language === "ts"
            ? runs
            : code.includes("/faults")
              ? `${here(code)}\n${runs}`
              : here(code)
        )
      ].join("\n"),
      { PROGRAM: program }
    )
    child.kill("SIGTERM")
    expect(steps).toHaveLength(6)
    expect(answers).toContain("registrationToken")
    expect(answers).toContain("cancelledAt")
    expect(answers.split(told)).toHaveLength(3)
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
