/** Parses the command line. The result is the requested command or a usage error. */
import { truncateText } from "../output/format.js"
import { allCommands, type CommandInfo, isGroup, nameOf, type OptionInfo } from "./commandInfo.js"

export type Shell = "bash" | "zsh" | "fish"

type CommandLine =
  | { readonly _tag: "Help"; readonly command: CommandInfo }
  | { readonly _tag: "Version" }
  | { readonly _tag: "Completions"; readonly shell: Shell }
  | { readonly _tag: "UsageError"; readonly message: string }
  | { readonly _tag: "Run"; readonly args: ReadonlyArray<string> }

const shells: { readonly [name: string]: Shell } = {
  bash: "bash",
  sh: "bash",
  zsh: "zsh",
  fish: "fish"
}

const globalOption = (
  name: string,
  description: string,
  more: Partial<OptionInfo> = {}
): OptionInfo => ({ name, description, isRequired: false, isRepeatable: false, ...more })

const logLevel = globalOption("--log-level", "The least severe level to log.", {
  value: "level",
  choices: ["all", "trace", "debug", "info", "warning", "error", "fatal", "none"]
})

/** Options of every command, which may be given before or after its name. */
const globalOptions = [globalOption("--help", "Show this help.", { alias: "-h" }), logLevel]

/** Options that are given instead of a command. */
const standaloneOptions = [
  globalOption("--version", "Show the version.", { alias: "-v" }),
  globalOption("--completions", "Print the completion script of a shell.", {
    value: "shell",
    choices: ["bash", "zsh", "fish"]
  })
]

/** Returns all options of a command, including the global ones. */
export const optionsOf = (command: CommandInfo): ReadonlyArray<OptionInfo> => [
  ...command.options,
  ...globalOptions,
  ...(command.path.length === 1 ? standaloneOptions : [])
]

/** Counts the edits from one word to the other: letters changed, added, removed or swapped with the next. */
const editDistance = (a: string, b: string): number => {
  const rows: Array<Array<number>> = [Array.from({ length: b.length + 1 }, (_, i) => i)]
  const at = (i: number, j: number) => rows[i]?.[j] ?? 0
  for (let i = 1; i <= a.length; i++) {
    rows[i] = [i]
    for (let j = 1; j <= b.length; j++) {
      const isSame = a[i - 1] === b[j - 1]
      const isSwapped = i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]
      rows[i]?.push(
        Math.min(
          at(i - 1, j) + 1,
          at(i, j - 1) + 1,
          at(i - 1, j - 1) + (isSame ? 0 : 1),
          isSwapped ? at(i - 2, j - 2) + 1 : Number.POSITIVE_INFINITY
        )
      )
    }
  }
  return at(a.length, b.length)
}

/** Suggests at most three of the names, the nearest to the written one. */
const suggestion = (written: string, names: ReadonlyArray<string>): string => {
  const text = written.toLowerCase()
  const near = names
    .map((name) => ({
      name,
      edits: text.length > 2 && name.startsWith(text) ? 0 : editDistance(text, name)
    }))
    .filter(({ edits, name }) => edits <= Math.max(1, Math.floor(name.length / 3)))
  const least = Math.min(...near.map(({ edits }) => edits))
  const best = near.filter(({ edits }) => edits === least).map(({ name }) => name)
  return best.length === 0 ? "" : ` Did you mean ${best.slice(0, 3).join(" or ")}?`
}

const isOption = (word: string) => /^-./.test(word)

/** Long names are case-insensitive. */
const findOption = (options: ReadonlyArray<OptionInfo>, written: string) =>
  options.find(({ alias, name }) => name === written.toLowerCase() || alias === written)

const namesOf = (all: ReadonlyArray<{ readonly name: string }>) => all.map(({ name }) => name)

const joinWith = (conjunction: string, words: ReadonlyArray<string>) =>
  words.length < 2
    ? words.join("")
    : `${words.slice(0, -1).join(", ")} ${conjunction} ${words.at(-1)}`

export const optionWithValue = ({ choices, name, value }: OptionInfo): string =>
  value === undefined ? name : `${name} <${choices === undefined ? value : choices.join("|")}>`

const usageError = (path: ReadonlyArray<string>, what: string): CommandLine => ({
  _tag: "UsageError",
  message: `${what}\nSee ${path.join(" ")} --help.`
})

interface WrittenOption {
  readonly name: string
  readonly option: OptionInfo | undefined
  readonly value: string | undefined
  readonly words: ReadonlyArray<string>
}

/** Separates options, which stand before the first `--`, from other words. */
const splitOptions = (words: ReadonlyArray<string>, options: ReadonlyArray<OptionInfo>) => {
  const given: Array<WrittenOption> = []
  const others: Array<string> = []
  for (let i = 0; i < words.length; i++) {
    const word = words[i] ?? ""
    if (word === "--") return { given, others: [...others, ...words.slice(i + 1)] }
    if (!isOption(word)) {
      others.push(word)
      continue
    }
    const [name = word] = word.split("=", 1)
    const inline = name === word ? undefined : word.slice(name.length + 1)
    const option = findOption(options, name)
    const next = words[i + 1]
    const isNextValue =
      inline === undefined &&
      option?.value !== undefined &&
      next !== undefined &&
      next !== "--" &&
      findOption(options, next) === undefined
    if (isNextValue) i += 1
    given.push({
      name,
      option,
      value: isNextValue ? next : inline,
      words: isNextValue ? [word, next] : [word]
    })
  }
  return { given, others }
}

interface Located {
  /** The command, or the last group if the next word is not one of its commands. */
  readonly command: CommandInfo
  /** Options before the command's name. */
  readonly given: ReadonlyArray<WrittenOption>
  /** The index of the first word that was not read. */
  readonly at: number
  readonly error?: CommandLine
}

/** Finds the command below `command` that the words from index `from` on name. */
const locate = (
  command: CommandInfo,
  words: ReadonlyArray<string>,
  from: number,
  before: ReadonlyArray<WrittenOption> = []
): Located => {
  if (!isGroup(command)) return { command, given: before, at: from }
  const options = optionsOf(command)
  let at = from
  while (at < words.length && isOption(words[at] ?? "") && words[at] !== "--") {
    at += findOption(options, words[at] ?? "")?.value === undefined ? 1 : 2
  }
  const { given } = splitOptions(words.slice(from, at), options)
  const all = [...before, ...given]
  const unknown = given.find(({ option }) => option === undefined)
  if (unknown !== undefined) {
    const isBelow = allCommands(command).some(({ options }) => findOption(options, unknown.name))
    const hint = isBelow
      ? " It belongs after the command."
      : suggestion(unknown.name, namesOf(options))
    const error = usageError(
      command.path,
      `There is no option ${truncateText(unknown.name)} before a command.${hint}`
    )
    return { command, given: all, at, error }
  }
  const next = command.subcommands.find(({ name }) => name === words[at])
  return next === undefined ? { command, given: all, at } : locate(next, words, at + 1, all)
}

const noCommand = (group: CommandInfo, written: string): CommandLine => {
  const names = namesOf(group.subcommands)
  const hint = suggestion(written, names) || ` There are ${joinWith("and", names)}.`
  return usageError(group.path, `There is no command ${truncateText(written)}.${hint}`)
}

/** Parses the words after the name of the command `root`. Errors do not contain unexpected values, which may be secrets. */
export const parse = (root: CommandInfo, words: ReadonlyArray<string>): CommandLine => {
  const { at, command, error, given } = locate(root, words, 0)
  const end = words.indexOf("--")
  const beforeEnd = end === -1 ? words : words.slice(0, end)
  if (beforeEnd.includes("--help") || beforeEnd.includes("-h")) return { _tag: "Help", command }
  if (error !== undefined) return error
  if (given.some(({ option }) => option?.name === "--version")) return { _tag: "Version" }
  const completions = given.find(({ option }) => option?.name === "--completions")
  if (completions !== undefined) {
    const shell = shells[completions.value?.toLowerCase() ?? ""]
    return shell === undefined
      ? usageError(root.path, "--completions: expected bash, zsh or fish.")
      : { _tag: "Completions", shell }
  }
  if (!isGroup(command)) return parseCommand(command, given, words.slice(at))
  const [written, ...topic] = words.slice(at)
  if (written === undefined) return { _tag: "Help", command }
  if (command !== root || written !== "help") return noCommand(command, written)
  const found = locate(root, topic, 0)
  const rest = topic[found.at]
  return rest === undefined || !isGroup(found.command)
    ? { _tag: "Help", command: found.command }
    : noCommand(found.command, rest)
}

const parseCommand = (
  command: CommandInfo,
  before: ReadonlyArray<WrittenOption>,
  words: ReadonlyArray<string>
): CommandLine => {
  const { path } = command
  const name = nameOf(command)
  const options = optionsOf(command)
  const { given, others } = splitOptions(words, options)
  for (const { name: written, option, value } of [...before, ...given]) {
    if (option === undefined) {
      const hint = suggestion(written, namesOf(options))
      return usageError(path, `${name} has no option ${truncateText(written)}.${hint}`)
    }
    if (option.value !== undefined && value === undefined) {
      return usageError(path, `${option.name} needs a value: ${optionWithValue(option)}.`)
    }
    const { choices } = option
    if (choices !== undefined && value !== undefined && !choices.includes(value)) {
      const expected = joinWith("or", choices)
      return usageError(
        path,
        `${option.name}: expected ${expected}, got ${JSON.stringify(truncateText(value))}.${suggestion(value, choices)}`
      )
    }
    if (!option.isRepeatable && given.filter((other) => other.option === option).length > 1) {
      return usageError(path, `${option.name} is given more than once.`)
    }
  }
  if (others.length > command.arguments.length) {
    const places = joinWith("and", namesOf(command.arguments).map(inBrackets))
    return usageError(
      path,
      places === ""
        ? `${name} takes options only.`
        : `${name} takes ${places} only, and ${others.length} were given.`
    )
  }
  const missing = [
    ...namesOf(command.arguments.slice(others.length).filter(isRequired)).map(inBrackets),
    ...command.options
      .filter((option) => isRequired(option) && !given.some((other) => other.option === option))
      .map(optionWithValue)
  ]
  return missing.length > 0
    ? usageError(path, `${name} needs ${joinWith("and", missing)}.`)
    : { _tag: "Run", args: argsOf(command, [...before, ...given], others) }
}

export const inBrackets = (name: string) => `<${name}>`

const isRequired = (parameter: { readonly isRequired: boolean }) => parameter.isRequired

/**
 * Returns the words in the order that @effect/cli accepts: it accepts `--log-level` only before a command, and no option after
 * an argument such as `-`.
 */
const argsOf = (
  command: CommandInfo,
  given: ReadonlyArray<WrittenOption>,
  others: ReadonlyArray<string>
): ReadonlyArray<string> => [
  ...(given.find(({ option }) => option === logLevel)?.words ?? []),
  ...command.path.slice(1),
  ...given.filter(({ option }) => option !== logLevel).flatMap(({ words }) => words),
  ...(others.length === 0 ? [] : ["--", ...others])
]
