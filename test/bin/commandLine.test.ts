import { execFileSync, spawnSync } from "node:child_process"
import { assert, describe, it } from "@effect/vitest"
import { rootInfo } from "../../src/bin/cli.js"
import type { CommandInfo } from "../../src/bin/internal/commandInfo.js"
import * as commandLine from "../../src/bin/internal/commandLine.js"
import { completions } from "../../src/bin/internal/completions.js"
import * as help from "../../src/bin/internal/help.js"
import { environmentOf, examples } from "../../src/bin/internal/helpTexts.js"
import { command } from "./command.js"

const program = rootInfo.name
const words = (text: string) => text.split(" ").filter((word) => word !== "")
const read = (text: string) => commandLine.parse(rootInfo, words(text))
const commandOf = (name: string): CommandInfo => {
  const found = rootInfo.subcommands.find((command) => command.name === name)
  assert.isDefined(found)
  return found as CommandInfo
}

describe("a mistake is told by its name, with what was meant", () => {
  for (const [written, expected] of [
    ["submti f", "There is no command submti. Did you mean submit?"],
    ["reg", "There is no command reg. Did you mean register?"],
    ["bill", /^There is no command bill\. There are submit, .* and doctor\.$/],
    ["help doctro", "There is no command doctro. Did you mean doctor?"],
    [
      "meter --prodct-code x --dimension d",
      "meter has no option --prodct-code. Did you mean --product-code?"
    ],
    ["meter --prodct-code=x", "meter has no option --prodct-code. Did you mean --product-code?"],
    ["submit f --dryrun", "submit has no option --dryrun. Did you mean --dry-run?"],
    ["submit f --prod x", "submit has no option --prod. Did you mean --product-code?"],
    ["resolve --token A-SECRET", "resolve has no option --token."],
    ["resolve A-FILE A-SECRET", "resolve takes <file> only, and 2 were given."],
    ["meter 3", "meter takes options only."],
    ["meter --product-code p", "meter needs --dimension <name> and --quantity <number>."],
    ["submit --json", "submit needs <file>."],
    ["submit f --region", "--region needs a value: --region <region>."],
    ["submit f --region --json", "--region needs a value: --region <region>."],
    ["submit f --region -- --json", "--region needs a value: --region <region>."],
    ["submit f --format cvs", '--format: expected csv or ndjson, got "cvs". Did you mean csv?'],
    ["submit f --region a --region b", "--region is given more than once."],
    ["doctor --log-level loud", /^--log-level: expected all, .* or none, got "loud"\.$/],
    [
      "--region a meter",
      "There is no option --region before a command. It belongs after the command."
    ],
    ["--verison", "There is no option --verison before a command. Did you mean --version?"],
    ["--completions tcsh", "--completions: expected bash, zsh or fish."],
    ["--wizard", "There is no option --wizard before a command."]
  ] as const) {
    it(written, () => {
      const mistake = read(written)
      assert.strictEqual(mistake._tag, "UsageError")
      const [told = "", hint] = mistake._tag === "UsageError" ? mistake.message.split("\n") : []
      if (typeof expected === "string") assert.strictEqual(told, expected)
      else assert.match(told, expected)
      assert.match(hint ?? "", /^See effect-marketplace-metering( \w+)? --help\.$/)
      assert.notInclude(told, "A-SECRET")
    })
  }

  it("repeats no more of a long word than its beginning", () => {
    const mistake = read(`resolve --${"x".repeat(10_000)}`)
    assert.isBelow(JSON.stringify(mistake).length, 300)
  })
})

describe("what is written well runs, or is answered", () => {
  for (const [written, expected] of [
    ["", "Help"],
    ["--help", "Help"],
    ["submit --port x -h", "Help"],
    ["help", "Help"],
    ["help submit", "Help"],
    ["-v", "Version"],
    ["--version", "Version"],
    ["--completions sh", "Completions"],
    ["submit -", "Run"],
    ["submit -- --help", "Run"],
    ["submit --REGION us-east-1 f", "Run"],
    ["resolve", "Run"],
    ["--log-level debug submit f --log-level=all", "Run"],
    ["doctor --operation MeterUsage --operation ResolveCustomer", "Run"],
    ["meter --product-code p --dimension d --quantity -5", "Run"]
  ] as const) {
    it(`"${written}"`, () => assert.strictEqual(read(written)._tag, expected))
  }

  it("every example", () => {
    assert.deepStrictEqual(
      Object.keys(examples),
      rootInfo.subcommands.map(({ name }) => name)
    )
    for (const { term } of Object.values(examples).flat()) {
      assert.strictEqual(read(term)._tag, "Run", term)
    }
  })
})

describe("help", () => {
  const style = { width: 80, isStyled: false }
  const sections = ["USAGE", "OPTIONS", "EXAMPLES", "ENVIRONMENT", "EXIT CODES"]

  for (const name of ["submit", "meter", "resolve", "register", "sandbox", "doctor"]) {
    it(`of ${name} has every option, examples, the environment and exit codes`, () => {
      const about = commandOf(name)
      const text = help.render(about, [program, name], style)
      for (const section of sections) assert.include(text, `\n${section}\n`)
      assert.include(text, `  ${program} ${name} `)
      for (const option of about.options) {
        assert.include(text, `  ${option.name}`)
        assert.notStrictEqual(option.description, "")
        assert.match(option.value ?? "value", /^[a-z-]+$/)
      }
      for (const { term } of environmentOf(name)) assert.include(text, term)
      assert.notMatch(text, /piece of text|This setting|user-defined|undefined/)
      const long = text.split("\n").filter((line) => line.length > style.width)
      // what may be copied is not broken
      assert.deepStrictEqual(
        long.filter((line) => !line.includes(program)),
        []
      )
    })
  }

  it("of all has every command by one sentence", () => {
    const text = help.render(rootInfo, [program], { ...style, isStyled: true })
    for (const { name } of rootInfo.subcommands)
      assert.match(text, new RegExp(`^  ${name} +[A-Z]`, "m"))
    assert.include(text, "\u001b[1mCOMMANDS\u001b[0m")
    assert.include(text, "-v, --version")
  })

  it("calls numbers numbers, and tells what is required and what can be chosen", () => {
    const text = help.render(commandOf("meter"), [program, "meter"], style)
    assert.match(text, /--quantity <number> .*\(required\)/)
    const submit = help.render(commandOf("submit"), [program, "submit"], style)
    assert.include(submit, "--format <csv|ndjson>")
    assert.include(submit, `${program} submit <file> [options]`)
  })
})

const hasBash = spawnSync("bash", ["--version"]).status === 0

describe("completion", () => {
  /** What bash offers for the last word. */
  const offered = (line: string) =>
    execFileSync(
      "bash",
      [
        "--norc",
        "-c",
        `${completions.bash(rootInfo)}
COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _effect_marketplace_metering; printf '%s\\n' "\${COMPREPLY[@]}"`,
        "bash",
        ...line.split(" ")
      ],
      { encoding: "utf8" }
    )
      .split("\n")
      .filter((word) => word !== "")

  // where there is none, nobody completes by it
  it.runIf(hasBash)("in bash offers commands, the options of each, and their values", () => {
    const names = rootInfo.subcommands.map(({ name }) => name)
    assert.deepStrictEqual(offered(`${program} `), names)
    assert.deepStrictEqual(offered(`${program} re`), ["resolve", "register"])
    assert.includeMembers(offered(`${program} --`), ["--version", "--completions", "--help"])
    for (const { name, options } of rootInfo.subcommands) {
      assert.includeMembers(offered(`${program} ${name} --`), [
        ...options.map((option) => option.name),
        "--help"
      ])
    }
    assert.deepStrictEqual(offered(`${program} meter --prod`), ["--product-code"])
    assert.deepStrictEqual(offered(`${program} submit --format `), ["csv", "ndjson"])
    assert.deepStrictEqual(offered(`${program} --log-level debug submit --format n`), ["ndjson"])
    assert.deepStrictEqual(offered(`${program} --completions z`), ["zsh"])
    assert.deepStrictEqual(offered(`${program} meter --region `), [])
    assert.deepStrictEqual(offered(`${program} submit ./package.js`), ["./package.json"])
    assert.deepStrictEqual(offered(`${program} register --public-key ./package.js`), [
      "./package.json"
    ])
  })

  it("in zsh and fish names every option of every command", () => {
    for (const { name, options } of rootInfo.subcommands) {
      const [, zsh = ""] = completions.zsh(rootInfo).split(`        ${name})\n`)
      const fish = completions
        .fish(rootInfo)
        .split("\n")
        .filter((line) => line.includes(`'__fish_seen_subcommand_from ${name}'`))
      for (const option of options) {
        assert.match(
          zsh.split(";;")[0] ?? "",
          new RegExp(`'${option.isRepeatable ? "\\*" : ""}${option.name}=?\\[`)
        )
        assert.isTrue(
          fish.some((line) => line.includes(` -l ${option.name.slice(2)} `)),
          option.name
        )
      }
    }
  })
})

describe("the command", () => {
  const { run } = command()

  it("answers help and version, and ends with 2 at a mistake", async () => {
    const [none, version, mistake] = await Promise.all([
      run([]),
      run(["-v"]),
      run(["meter", "--quantty", "3"])
    ])
    assert.deepStrictEqual([none.code, version.code, mistake.code], [0, 0, 2])
    assert.match(none.stdout, /USAGE\n {2}effect-marketplace-metering <command>/)
    assert.match(version.stdout, /^\d+\.\d+\.\d+\n$/)
    assert.strictEqual(mistake.stdout, "")
    assert.match(mistake.stderr, /^meter has no option --quantty\. Did you mean --quantity\?\n/)
  })
})
