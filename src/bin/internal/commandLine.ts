/** Reads the arguments: the command that is asked for, and faults in how it is written. */
import type { CommandInfo, OptionInfo } from "./commandInfo.js"

export type Shell = "bash" | "zsh" | "fish"

export type CommandLine =
  | { readonly _tag: "Help"; readonly command: CommandInfo; readonly path: ReadonlyArray<string> }
  | { readonly _tag: "Version" }
  | { readonly _tag: "Completions"; readonly shell: Shell }
  | { readonly _tag: "UsageError"; readonly message: string }
  | { readonly _tag: "Run" }

const shells: { readonly [name: string]: Shell } = {
  bash: "bash",
  sh: "bash",
  zsh: "zsh",
  fish: "fish"
}

const logLevels = ["all", "trace", "debug", "info", "warning", "error", "fatal", "none"]

/** Options that every command takes, before and after its name. */
export const globalOptions: ReadonlyArray<OptionInfo> = [
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
    choices: logLevels,
    description: "The least that is logged beside the result.",
    isRequired: false,
    isRepeatable: false
  }
]

/** Options that stand alone. */
export const standaloneOptions: ReadonlyArray<OptionInfo> = [
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
const editDistance = (a: string, b: string): number => {
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
      edits: text.length > 2 && name.startsWith(text) ? 0 : editDistance(text, name)
    }))
    .filter(({ edits, name }) => edits <= Math.max(1, Math.floor(name.length / 3)))
    .sort((a, b) => a.edits - b.edits)
  const [first] = near
  if (first === undefined) return ""
  const best = near.filter(({ edits }) => edits === first.edits).map(({ name }) => name)
  return ` Did you mean ${best.slice(0, 3).join(" or ")}?`
}

const maxShownLength = 60

/** The number of characters of a word that are repeated; a longer name is something else. */
const truncate = (word: string) =>
  word.length > maxShownLength ? `${word.slice(0, maxShownLength)}…` : word

const isOption = (word: string) => /^-./.test(word)

/** Names are taken in any case. */
const findOption = (options: ReadonlyArray<OptionInfo>, written: string) =>
  options.find(({ alias, name }) => name === written.toLowerCase() || alias === written)

const joinWithAnd = (words: ReadonlyArray<string>) =>
  words.length < 2 ? words.join("") : `${words.slice(0, -1).join(", ")} and ${words.at(-1)}`

export const optionWithValue = ({ choices, name, value }: OptionInfo): string =>
  value === undefined ? name : `${name} <${choices === undefined ? value : choices.join("|")}>`

const usageError = (path: ReadonlyArray<string>, what: string): CommandLine => ({
  _tag: "UsageError",
  message: `${what}\nSee ${path.join(" ")} --help.`
})

/** Options by what stands before the first `--`, and the words that are no option and no option's value. */
const splitOptions = (words: ReadonlyArray<string>, options: ReadonlyArray<OptionInfo>) => {
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
    const option = findOption(options, written)
    const takesNext = equals === -1 && option?.value !== undefined
    const next = words[i + 1]
    const hasNext = next !== undefined && next !== "--" && findOption(options, next) === undefined
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
export const parse = (root: CommandInfo, words: ReadonlyArray<string>): CommandLine => {
  const global = [...globalOptions, ...standaloneOptions]
  const names = root.subcommands.map(({ name }) => name)
  const byName = (name: string) => root.subcommands.find((command) => command.name === name)

  // before the command there are only options that concern all
  let at = 0
  while (at < words.length && isOption(words[at] ?? "") && words[at] !== "--") {
    const option = findOption(global, words[at] ?? "")
    at += option?.value !== undefined ? 2 : 1
  }
  const commandName = words[at]
  const command = commandName === undefined ? undefined : byName(commandName)
  const path = command === undefined ? [root.name] : [root.name, command.name]

  const end = words.indexOf("--")
  const ownWords = end === -1 ? words : words.slice(0, end)
  if (ownWords.includes("--help") || ownWords.includes("-h")) {
    return { _tag: "Help", command: command ?? root, path }
  }
  const before = splitOptions(words.slice(0, at), global)
  const unknown = before.given.find(({ option }) => option === undefined)
  if (unknown !== undefined) {
    const owners = root.subcommands.filter(({ options }) => findOption(options, unknown.written))
    return usageError(
      [root.name],
      `There is no option ${truncate(unknown.written)} before a command.${
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
      ? usageError([root.name], "--completions: expected bash, zsh or fish.")
      : { _tag: "Completions", shell }
  }
  if (commandName === undefined) return { _tag: "Help", command: root, path }
  if (commandName === "help") {
    const topic = words[at + 1]
    const topicCommand = topic === undefined ? root : byName(topic)
    return topicCommand === undefined
      ? usageError(
          [root.name],
          `There is no command ${truncate(topic ?? "")}.${suggestion(topic ?? "", names)}`
        )
      : {
          _tag: "Help",
          command: topicCommand,
          path: topic === undefined ? path : [root.name, topic]
        }
  }
  if (command === undefined) {
    return usageError(
      [root.name],
      `There is no command ${truncate(commandName)}.${suggestion(commandName, names) || ` There are ${joinWithAnd(names)}.`}`
    )
  }
  return parseCommandArgs(command, path, words.slice(at + 1))
}

const parseCommandArgs = (
  command: CommandInfo,
  path: ReadonlyArray<string>,
  words: ReadonlyArray<string>
): CommandLine => {
  const options = [...command.options, ...globalOptions]
  const { given, others } = splitOptions(words, options)
  for (const { option, value, written } of given) {
    if (option === undefined) {
      const near = suggestion(
        written,
        options.map(({ name }) => name)
      )
      return usageError(path, `${command.name} has no option ${truncate(written)}.${near}`)
    }
    const { choices, isRepeatable, name } = option
    if (option.value !== undefined && value === undefined) {
      return usageError(path, `${name} needs a value: ${optionWithValue(option)}.`)
    }
    if (choices !== undefined && value !== undefined && !choices.includes(value)) {
      const near = suggestion(value, choices)
      return usageError(
        path,
        `${name}: expected ${choices.slice(0, -1).join(", ")} or ${choices.at(-1)}, got ${JSON.stringify(truncate(value))}.${near}`
      )
    }
    if (!isRepeatable && given.filter((other) => other.option === option).length > 1) {
      return usageError(path, `${name} is given more than once.`)
    }
  }
  if (others.length > command.arguments.length) {
    const places = command.arguments.map(({ name }) => `<${name}>`)
    return usageError(
      path,
      places.length === 0
        ? `${command.name} takes options only.`
        : `${command.name} takes ${joinWithAnd(places)} only, and ${others.length} were given.`
    )
  }
  const missing = [
    ...command.arguments
      .slice(others.length)
      .flatMap(({ isRequired, name }) => (isRequired ? [`<${name}>`] : [])),
    ...command.options
      .filter((option) => option.isRequired && !given.some((other) => other.option === option))
      .map(optionWithValue)
  ]
  return missing.length === 0
    ? { _tag: "Run" }
    : usageError(path, `${command.name} needs ${joinWithAnd(missing)}.`)
}
