import { execFileSync } from "node:child_process"
import { existsSync, readFileSync, writeFileSync } from "node:fs"
import { dirname } from "node:path"
import { fileURLToPath } from "node:url"
import { describe, expect, it } from "vitest"
import { rootInfo } from "../../src/bin/cli.js"
import { allCommands, isGroup } from "../../src/bin/internal/commandInfo.js"
import { command } from "../bin/command.js"
import { blocksOf, namesIn, readme, tableOf } from "./readme.js"

const root = fileURLToPath(new URL("../..", import.meta.url))
const curl = fileURLToPath(new URL("curl.js", import.meta.url))
const sdkProgram = "new MarketplaceMeteringClient().send("
const npx = "npx effect-marketplace-metering"
const leaves = allCommands(rootInfo).filter((command) => !isGroup(command))

describe("the shell commands of the README", () => {
  const { file, run, start } = command()

  /** Runs a script in the folder of the command. Its `curl`, `npx` and `npm` are stand-ins without a network. */
  const shell = (script: string, env: Record<string, string> = {}) =>
    execFileSync(
      "sh",
      [
        "-euc",
        `curl() { "$NODE" "$CURL" "$@"; }
npx() { shift; "$NODE" "$COMMAND" "$@"; }
npm() { echo "npm $1 with $AWS_ENDPOINT_URL_MARKETPLACE_METERING $AWS_ENDPOINT_URL_MARKETPLACE_ENTITLEMENT_SERVICE"; }
${script}`
      ],
      {
        cwd: dirname(file("command.mjs")),
        encoding: "utf8",
        env: {
          PATH: process.env.PATH,
          NODE: process.execPath,
          CURL: curl,
          ROOT: root,
          COMMAND: file("command.mjs"),
          AWS_EC2_METADATA_DISABLED: "true",
          ...env
        }
      }
    )

  const help = async (name: string) => {
    const { stdout } = await run([name, "--help"])
    return stdout
  }

  /** The default address of the sandbox, by its help. */
  const address = async () => {
    const text = await help("sandbox")
    const [, host] = /--host <host>[\s\S]*?(\d+\.\d+\.\d+\.\d+)/.exec(text) ?? []
    const [, port] = /--port <port>[\s\S]*?(\d{4,5})/.exec(text) ?? []
    return `http://${host}:${port}`
  }

  it("run in order against a sandbox, with the SDK's program also after the faults", async () => {
    const { child, until } = start(["sandbox", "--port", "0"])
    const [url] = await until(/http:\/\/127\.0\.0\.1:\d+/)
    const here = await address()
    const steps = blocksOf("sh", "ts").filter(
      ({ code, language }) =>
        (language === "sh" && code !== `${npx} sandbox\n` && !code.startsWith("npm install ")) ||
        code.includes(sdkProgram)
    )
    const program = steps.find(({ language }) => language === "ts")?.code ?? ""
    const [, printed = ""] = /console\.log\(.*\) \/\/ (.*)$/m.exec(program) ?? []
    const runProgram = `(cd "$ROOT" && "$NODE" --no-warnings --input-type=module -e "$PROGRAM")`
    const output = shell(
      steps
        .map(({ code, language }) => {
          if (language === "ts") return runProgram
          const script = code.replaceAll(here, url)
          return code.includes("/faults") ? `${script}\n${runProgram}` : script
        })
        .join("\n"),
      { PROGRAM: program }
    )
    child.kill("SIGTERM")
    expect(steps).toHaveLength(10)
    const [, started, entitlements] = /^npm test with (\S*) (\S*)$/m.exec(output) ?? []
    expect(started).toMatch(/^http:\/\/127\.0\.0\.1:\d+$/)
    expect(started).not.toBe(url)
    expect(entitlements).toBe(started)
    expect(existsSync(file("sandbox.json"))).toBe(false)
    expect(output).toMatch(/us-east-1: sealed 1, sent 1, accepted 1, expired 0/)
    expect(output).toMatch(/api-calls +accepted +42 +42/)
    expect(output).toContain("registrationToken")
    expect(output).toContain("cancelledAt")
    expect(output.split(printed)).toHaveLength(3)
    const rejected = readFileSync(file("rejected.csv"), "utf8").trim().split("\n")
    expect(rejected).toHaveLength(1)
  })

  it("use the default address of the sandbox", async () => {
    const written = readme.match(/http:\/\/127\.0\.0\.1:\d+/g) ?? []
    expect(written.length).toBeGreaterThan(1)
    expect(new Set(written)).toEqual(new Set([await address()]))
    expect(readme).toContain(`port ${new URL(await address()).port}`)
  })

  it("name the commands and options of the help", async () => {
    const [, text = ""] =
      /^COMMANDS\n([\s\S]*?)^OPTIONS/m.exec((await run(["--help"])).stdout) ?? []
    const commands = [...text.matchAll(/^ {2}(\w+) /gm)].map(([, name]) => name)
    const row = tableOf("you have").at(-1) ?? []
    expect([...namesIn(row[1] ?? ""), "sandbox"].sort()).toEqual([...commands].sort())

    const optionsOf = (text: string) => text.match(/--[a-z][a-z-]*/g) ?? []
    const common = new Set(["--help", "--log-level"])
    const sandbox = new Set(
      [...(await help("sandbox")).matchAll(/^ {2}(--[a-z-]+)/gm)].flatMap(([, option = ""]) =>
        common.has(option) ? [] : [option]
      )
    )
    expect(new Set(tableOf("option").flatMap(([cell = ""]) => optionsOf(cell)))).toEqual(sandbox)
    const ledger = leaves.filter(({ path }) => path[1] === "ledger")
    const known = new Set([
      ...sandbox,
      ...optionsOf(await help("doctor")),
      ...optionsOf(await help("submit")),
      ...ledger.flatMap(({ options }) => options.map(({ name }) => name))
    ])
    expect(
      optionsOf(readme.replaceAll(/^```(?!sh)\w+\n[\s\S]*?^```/gm, "")).filter(
        (option) => !known.has(option)
      )
    ).toEqual([])
  })

  it("have the columns of a file", async () => {
    const [, paragraph = ""] =
      /^The first line names the columns([\s\S]*?)NDJSON/m.exec(readme) ?? []
    const columns = namesIn(paragraph)
    const fields: Readonly<Record<string, string>> = {
      timestamp: new Date().toISOString(),
      dimension: "api-calls",
      quantity: "1",
      customerAWSAccountId: "111122223333",
      customerIdentifier: "",
      licenseArn: "",
      productCode: "sandbox-analytics",
      usageAllocations: '"[{""allocatedUsageQuantity"":1}]"'
    }
    expect([...columns].sort()).toEqual(Object.keys(fields).sort())
    writeFileSync(file("all.csv"), `${columns}\n${columns.map((column) => fields[column])}\n`)
    const { code, stderr } = await run(["submit", "all.csv", "--dry-run"])
    expect([code, stderr]).toEqual([0, expect.any(String)])
  })
})
