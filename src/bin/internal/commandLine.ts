/** Reads the arguments: the command that is asked for, and faults in how it is written. */
import type { CommandInfo, OptionInfo } from "./describe.js"

export type Shell = "bash" | "zsh" | "fish"

export type CommandLine =
  | { readonly _tag: "Help"; readonly command: CommandInfo; readonly path: ReadonlyArray<string> }
  | { readonly _tag: "Version" }
  | { readonly _tag: "Completions"; readonly shell: Shell }
  | { readonly _tag: "Mistake"; readonly message: string }
  | { readonly _tag: "Run" }

const shells: { readonly [name: string]: Shell } = {
  bash: "bash",
  sh: "bash",
  zsh: "zsh",
  fish: "fish"
}

const levels = ["all", "trace", "debug", "info", "warning", "error", "fatal", "none"]

/** Options that every command takes, before and after its name. */
export const everywhere: ReadonlyArray<OptionInfo> = [
  {
    name: "--help",
    alias: "-h",
    description: "Show this help.",
    isRequired: false,
    isRepeatable: false
  },
  {
    name: "--log-level",
    value: "level",
    choices: levels,
    description: "The least that is logged beside the result.",
    isRequired: false,
    isRepeatable: false
  }
]

/** Options that stand alone. */
export const alone: ReadonlyArray<OptionInfo> = [
  {
    name: "--version",
    alias: "-v",
    description: "Show the version.",
    isRequired: false,
    isRepeatable: false
  },
  {
    name: "--completions",
    value: "shell",
    choices: ["bash", "zsh", "fish"],
    description: "Print what makes this shell complete commands and options.",
    isRequired: false,
    isRepeatable: false
  }
]

/** The number of letters to change, add, leave out or exchange to get from one word to the other. */
const distance = (a: string, b: string): number => {
  const rows: Array<Array<number>> = [Array.from({ length: b.length + 1 }, (_, i) => i)]
  const at = (i: number, j: number) => rows[i]?.[j] ?? 0
  for (let i = 1; i <= a.length; i++) {
    rows[i] = [i]
    for (let j = 1; j <= b.length; j++) {
      const isSame = a[i - 1] === b[j - 1]
      const isExchanged = i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]
      rows[i]?.push(
        Math.min(
          at(i - 1, j) + 1,
          at(i, j - 1) + 1,
          at(i - 1, j - 1) + (isSame ? 0 : 1),
          isExchanged ? at(i - 2, j - 2) + 1 : Number.POSITIVE_INFINITY
        )
      )
    }
  }
  return at(a.length, b.length)
}

/** The names nearest to what was written, if any is near. */
const suggestion = (written: string, names: ReadonlyArray<string>): string => {
  const text = written.toLowerCase()
  const near = names
    .map((name) => ({
      name,
      // what was begun is near to what goes on so
      away: text.length > 2 && name.startsWith(text) ? 0 : distance(text, name)
    }))
    .filter(({ away, name }) => away <= Math.max(1, Math.floor(name.length / 3)))
    .sort((a, b) => a.away - b.away)
  const [first] = near
  if (first === undefined) return ""
  const best = near.filter(({ away }) => away === first.away).map(({ name }) => name)
  return ` Did you mean ${best.slice(0, 3).join(" or ")}?`
}

const longest = 60

/** The number of characters of a word that are repeated; a longer name is something else. */
const shortened = (word: string) => (word.length > longest ? `${word.slice(0, longest)}…` : word)

const isOption = (word: string) => /^-./.test(word)

/** Names are taken in any case. */
const find = (options: ReadonlyArray<OptionInfo>, written: string) =>
  options.find(({ alias, name }) => name === written.toLowerCase() || alias === written)

const listed = (words: ReadonlyArray<string>) =>
  words.length < 2 ? words.join("") : `${words.slice(0, -1).join(", ")} and ${words.at(-1)}`

export const withValue = ({ choices, name, value }: OptionInfo): string =>
  value === undefined ? name : `${name} <${choices === undefined ? value : choices.join("|")}>`

const mistake = (path: ReadonlyArray<string>, what: string): CommandLine => ({
  _tag: "Mistake",
  message: `${what}\nSee ${path.join(" ")} --help.`
})

/** Options by what stands before the first `--`, and the words that are no option and no option's value. */
const split = (words: ReadonlyArray<string>, options: ReadonlyArray<OptionInfo>) => {
  const given: Array<{
    readonly written: string
    readonly option: OptionInfo | undefined
    readonly value: string | undefined
  }> = []
  const others: Array<string> = []
  for (let i = 0; i < words.length; i++) {
    const word = words[i] ?? ""
    if (word === "--") {
      others.push(...words.slice(i + 1))
      break
    }
    if (!isOption(word)) {
      others.push(word)
      continue
    }
    const equals = word.indexOf("=")
    const written = equals === -1 ? word : word.slice(0, equals)
    const option = find(options, written)
    const takesNext = equals === -1 && option?.value !== undefined
    const next = words[i + 1]
    const hasNext = next !== undefined && next !== "--" && find(options, next) === undefined
    given.push({
      written,
      option,
      value: equals !== -1 ? word.slice(equals + 1) : takesNext && hasNext ? next : undefined
    })
    if (takesNext && hasNext) i += 1
  }
  return { given, others }
}

/**
 * Reads what was written for the command `root`. A value that belongs to nothing is not repeated, since it may be a
 * secret.
 */
export const read = (root: CommandInfo, words: ReadonlyArray<string>): CommandLine => {
  const global = [...everywhere, ...alone]
  const names = root.subcommands.map(({ name }) => name)
  const byName = (name: string) => root.subcommands.find((command) => command.name === name)

  // before the command there are only options that concern all
  let at = 0
  while (at < words.length && isOption(words[at] ?? "") && words[at] !== "--") {
    const option = find(global, words[at] ?? "")
    at += option?.value !== undefined ? 2 : 1
  }
  const asked = words[at]
  const command = asked === undefined ? undefined : byName(asked)
  const path = command === undefined ? [root.name] : [root.name, command.name]

  const end = words.indexOf("--")
  const mine = end === -1 ? words : words.slice(0, end)
  if (mine.includes("--help") || mine.includes("-h")) {
    return { _tag: "Help", command: command ?? root, path }
  }
  const before = split(words.slice(0, at), global)
  const unknown = before.given.find(({ option }) => option === undefined)
  if (unknown !== undefined) {
    const owners = root.subcommands.filter(({ options }) => find(options, unknown.written))
    return mistake(
      [root.name],
      `There is no option ${shortened(unknown.written)} before a command.${
        owners.length > 0
          ? " It belongs after the command."
          : suggestion(
              unknown.written,
              global.map(({ name }) => name)
            )
      }`
    )
  }
  if (before.given.some(({ option }) => option?.name === "--version")) return { _tag: "Version" }
  const completions = before.given.find(({ option }) => option?.name === "--completions")
  if (completions !== undefined) {
    const shell = shells[completions.value?.toLowerCase() ?? ""]
    return shell === undefined
      ? mistake([root.name], "--completions: expected bash, zsh or fish.")
      : { _tag: "Completions", shell }
  }
  if (asked === undefined) return { _tag: "Help", command: root, path }
  if (asked === "help") {
    const topic = words[at + 1]
    const about = topic === undefined ? root : byName(topic)
    return about === undefined
      ? mistake(
          [root.name],
          `There is no command ${shortened(topic ?? "")}.${suggestion(topic ?? "", names)}`
        )
      : { _tag: "Help", command: about, path: topic === undefined ? path : [root.name, topic] }
  }
  if (command === undefined) {
    return mistake(
      [root.name],
      `There is no command ${shortened(asked)}.${suggestion(asked, names) || ` There are ${listed(names)}.`}`
    )
  }
  return readFor(command, path, words.slice(at + 1))
}

const readFor = (
  command: CommandInfo,
  path: ReadonlyArray<string>,
  words: ReadonlyArray<string>
): CommandLine => {
  const options = [...command.options, ...everywhere]
  const { given, others } = split(words, options)
  for (const { option, value, written } of given) {
    if (option === undefined) {
      const near = suggestion(
        written,
        options.map(({ name }) => name)
      )
      return mistake(path, `${command.name} has no option ${shortened(written)}.${near}`)
    }
    const { choices, isRepeatable, name } = option
    if (option.value !== undefined && value === undefined) {
      return mistake(path, `${name} needs a value: ${withValue(option)}.`)
    }
    if (choices !== undefined && value !== undefined && !choices.includes(value)) {
      const near = suggestion(value, choices)
      return mistake(
        path,
        `${name}: expected ${choices.slice(0, -1).join(", ")} or ${choices.at(-1)}, got ${JSON.stringify(shortened(value))}.${near}`
      )
    }
    if (!isRepeatable && given.filter((other) => other.option === option).length > 1) {
      return mistake(path, `${name} is given more than once.`)
    }
  }
  if (others.length > command.arguments.length) {
    const places = command.arguments.map(({ name }) => `<${name}>`)
    return mistake(
      path,
      places.length === 0
        ? `${command.name} takes options only.`
        : `${command.name} takes ${listed(places)} only, and ${others.length} were given.`
    )
  }
  const missing = [
    ...command.arguments
      .slice(others.length)
      .flatMap(({ isRequired, name }) => (isRequired ? [`<${name}>`] : [])),
    ...command.options
      .filter((option) => option.isRequired && !given.some((other) => other.option === option))
      .map(withValue)
  ]
  return missing.length === 0
    ? { _tag: "Run" }
    : mistake(path, `${command.name} needs ${listed(missing)}.`)
}
