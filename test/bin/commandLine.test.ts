import { execFileSync, spawnSync } from "node:child_process"
import { assert, describe, it } from "@effect/vitest"
import { rootInfo } from "../../src/bin/cli.js"
import {
  allCommands,
  type CommandInfo,
  isGroup,
  nameOf
} from "../../src/bin/internal/commandInfo.js"
import * as commandLine from "../../src/bin/internal/commandLine.js"
import { completions } from "../../src/bin/internal/completions.js"
import * as help from "../../src/bin/internal/help.js"
import { environmentOf, examples } from "../../src/bin/internal/helpTexts.js"
import { command } from "./command.js"

const program = rootInfo.name
const words = (text: string) => text.split(" ").filter((word) => word !== "")
const read = (text: string) => commandLine.parse(rootInfo, words(text))
/** The commands that run, those in groups included. */
const leaves = allCommands(rootInfo).filter((command) => !isGroup(command))
const commandOf = (name: string): CommandInfo => {
  const found = leaves.find((command) => nameOf(command) === name)
  assert.isDefined(found)
  return found as CommandInfo
}

describe("a usage error names the invalid word and suggests a valid one", () => {
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
    ["resolve --token=A-SECRET", "resolve has no option --token."],
    ["resolve A-SECRET --token A-SECRET", "resolve has no option --token."],
    ["resolve -t A-SECRET", "resolve has no option -t."],
    ["resolve A-FILE A-SECRET", "resolve takes <file> only, and 2 were given."],
    ["resolve A-FILE A-SECRET A-SECRET", "resolve takes <file> only, and 3 were given."],
    ["meter 3", "meter takes options only."],
    ["meter --product-code p", "meter needs --dimension <name> and --quantity <number>."],
    ["submit --json", "submit needs <file>."],
    ["submit f --region", "--region needs a value: --region <region>."],
    ["submit f --region --json", "--region needs a value: --region <region>."],
    ["submit f --region -- --json", "--region needs a value: --region <region>."],
    ["submit f --format cvs", '--format: expected csv or ndjson, got "cvs". Did you mean csv?'],
    ["submit f --region a --region b", "--region is given more than once."],
    ["doctor --log-level loud", /^--log-level: expected all, .* or none, got "loud"\.$/],
    ["--log-level loud doctor", /^--log-level: expected all, .* or none, got "loud"\.$/],
    [
      "--region a meter",
      "There is no option --region before a command. It belongs after the command."
    ],
    ["--verison", "There is no option --verison before a command. Did you mean --version?"],
    ["--completions tcsh", "--completions: expected bash, zsh or fish."],
    ["--wizard", "There is no option --wizard before a command."],
    ["ledger statu", "There is no command statu. Did you mean status?"],
    ["help ledger recrod", "There is no command recrod. Did you mean record?"],
    ["ledger --json status", /^There is no option --json before a command\. It belongs after/],
    ["ledger statement --month 2026-11", "ledger statement needs --customer <id>."]
  ] as const) {
    it(written, () => {
      const error = read(written)
      assert.strictEqual(error._tag, "UsageError")
      const [message = "", hint] = error._tag === "UsageError" ? error.message.split("\n") : []
      if (typeof expected === "string") assert.strictEqual(message, expected)
      else assert.match(message, expected)
      assert.match(hint ?? "", /^See effect-marketplace-metering( \w+)* --help\.$/)
      assert.notInclude(message, "A-SECRET")
    })
  }

  it("repeats only the beginning of a long word", () => {
    const error = read(`resolve --${"x".repeat(10_000)}`)
    assert.isBelow(JSON.stringify(error).length, 300)
  })
})

describe("a valid command line", () => {
  for (const [written, expected] of [
    ["", "Help"],
    ["--help", "Help"],
    ["submit --port x -h", "Help"],
    ["sandbox --port 0 --help", "Help"],
    ["--log-level debug --help", "Help"],
    ["help", "Help"],
    ["help submit", "Help"],
    ["ledger", "Help"],
    ["ledger --help", "Help"],
    ["help ledger", "Help"],
    ["help ledger record", "Help"],
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
    it(`"${written}" is ${expected}`, () => assert.strictEqual(read(written)._tag, expected))
  }

  for (const [written, expected] of [
    ["sandbox --port 0", "sandbox --port 0"],
    ["sandbox --port 0 --log-level debug --quota", "--log-level debug sandbox --port 0 --quota"],
    ["sandbox --log-level=debug --quota", "--log-level=debug sandbox --quota"],
    ["--log-level debug sandbox --quota", "--log-level debug sandbox --quota"],
    ["submit - --rate 5", "submit --rate 5 -- -"],
    ["submit --log-level all - --rate 5", "--log-level all submit --rate 5 -- -"],
    ["submit --rejected - usage.csv", "submit --rejected - -- usage.csv"],
    ["submit --rejected - - --rate 5", "submit --rejected - --rate 5 -- -"],
    ["submit --json - --rate 5", "submit --json --rate 5 -- -"],
    ["submit --format=csv - --rate 5", "submit --format=csv --rate 5 -- -"],
    [
      "register --product-code p --public-key - --nonce n",
      "register --product-code p --public-key - --nonce n"
    ],
    ["submit -- --help", "submit -- --help"],
    ["ledger --log-level debug record - --json", "--log-level debug ledger record --json -- -"],
    ["submit -- --log-level", "submit -- --log-level"],
    ["resolve token-file", "resolve -- token-file"],
    [
      "resolve --region us-east-1 token-file --json",
      "resolve --region us-east-1 --json -- token-file"
    ],
    ["resolve --endpoint=http://x -", "resolve --endpoint=http://x -- -"]
  ] as const) {
    it(`"${written}" runs "${expected}"`, () =>
      assert.deepStrictEqual(read(written), { _tag: "Run", args: words(expected) }))
  }

  it("is every example", () => {
    assert.deepStrictEqual(Object.keys(examples), leaves.map(nameOf))
    for (const line of Object.values(examples).flatMap(Object.keys)) {
      assert.strictEqual(read(line)._tag, "Run", line)
    }
  })
})

describe("help", () => {
  const style = { width: 80, isStyled: false }
  const sections = ["USAGE", "OPTIONS", "EXAMPLES", "ENVIRONMENT", "EXIT CODES"]

  for (const command of leaves.map(nameOf)) {
    it(`of ${command} has every option, examples, the environment and exit codes`, () => {
      const info = commandOf(command)
      const text = help.render(info, style)
      for (const section of sections) assert.include(text, `\n${section}\n`)
      assert.include(text, `  ${program} ${command} `)
      for (const option of info.options) {
        assert.include(text, `  ${option.name}`)
        assert.notStrictEqual(option.description, "")
        assert.match(option.value ?? "value", /^[a-z-]+$/)
      }
      for (const name of Object.keys(environmentOf(command))) assert.include(text, name)
      assert.notMatch(text, /piece of text|This setting|user-defined|undefined/)
      const long = text.split("\n").filter((line) => line.length > style.width)
      // command lines are not broken, so that they can be copied
      assert.deepStrictEqual(
        long.filter((line) => !line.includes(program)),
        []
      )
    })
  }

  it("of the program has one sentence for every command", () => {
    const text = help.render(rootInfo, { ...style, isStyled: true })
    for (const { name } of rootInfo.subcommands)
      assert.match(text, new RegExp(`^  ${name} +[A-Z]`, "m"))
    assert.include(text, "\u001b[1mCOMMANDS\u001b[0m")
    assert.include(text, "-v, --version")
  })

  it("names the kinds of values, required options, and choices", () => {
    const text = help.render(commandOf("meter"), style)
    assert.match(text, /--quantity <number> .*\(required\)/)
    const submit = help.render(commandOf("submit"), style)
    assert.include(submit, "--format <csv|ndjson>")
    assert.include(submit, `${program} submit <file> [options]`)
  })
})

const hasBash = spawnSync("bash", ["--version"]).status === 0

describe("completion", () => {
  /** The completions of the last word in bash. */
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

  it.runIf(hasBash)("in bash offers commands, the options of each, and their values", () => {
    const names = rootInfo.subcommands.map(({ name }) => name)
    assert.deepStrictEqual(offered(`${program} `), names)
    assert.deepStrictEqual(offered(`${program} re`), ["resolve", "register"])
    assert.includeMembers(offered(`${program} --`), ["--version", "--completions", "--help"])
    for (const command of leaves) {
      assert.includeMembers(offered(`${program} ${nameOf(command)} --`), [
        ...command.options.map((option) => option.name),
        "--help"
      ])
    }
    const group = rootInfo.subcommands.find(isGroup)
    assert.deepStrictEqual(
      offered(`${program} ${group?.name} `),
      group?.subcommands.map(({ name }) => name)
    )
    assert.deepStrictEqual(offered(`${program} ledger sta`), ["status", "statement"])
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
    for (const command of leaves) {
      const [, zsh = ""] = completions.zsh(rootInfo).split(`        ${command.name})\n`)
      const condition = command.path
        .slice(1)
        .map((name) => `__fish_seen_subcommand_from ${name}`)
        .join("; and ")
      const fish = completions
        .fish(rootInfo)
        .split("\n")
        .filter((line) => line.includes(`-n '${condition}'`))
      for (const option of command.options) {
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

  it("prints help and version, and exits with 2 after a usage error", async () => {
    const [none, version, error] = await Promise.all([
      run([]),
      run(["-v"]),
      run(["meter", "--quantty", "3"])
    ])
    assert.deepStrictEqual([none.code, version.code, error.code], [0, 0, 2])
    assert.match(none.stdout, /USAGE\n {2}effect-marketplace-metering <command>/)
    assert.match(version.stdout, /^\d+\.\d+\.\d+\n$/)
    assert.strictEqual(error.stdout, "")
    assert.match(error.stderr, /^meter has no option --quantty\. Did you mean --quantity\?\n/)
  })
})
