/** Formats help as text. */
import * as Doc from "@effect/printer/Doc"
import { exitCodes } from "./cliError.js"
import {
  allCommands,
  type CommandInfo,
  firstSentence,
  isGroup,
  nameOf,
  type OptionInfo
} from "./commandInfo.js"
import { inBrackets, optionsOf, optionWithValue } from "./commandLine.js"
import { environmentOf, examples } from "./helpTexts.js"

interface Style {
  /** Length of a line, in characters. */
  readonly width: number
  readonly isStyled: boolean
}

const wrap = (text: string, width: number): ReadonlyArray<string> =>
  Doc.render(Doc.reflow(text), { style: "pretty", options: { lineWidth: width } }).split("\n")

type Definition = readonly [term: string, text: string]

/** Maximum width of the terms, in characters. A longer term has its own line. */
const maxTerm = 26

/** Minimum width of the texts, in characters, even on a narrow terminal. */
const minText = 20

/** Formats terms on the left, with their texts beside them. */
const definitionList = (all: ReadonlyArray<Definition>, width: number): ReadonlyArray<string> => {
  const column = 4 + Math.min(maxTerm, Math.max(...all.map(([term]) => term.length)))
  return all.flatMap(([term, text]) => {
    const lines = wrap(text, Math.max(minText, width - column))
    const start = term.length > maxTerm ? [`  ${term}`] : []
    const margins = [start.length > 0 ? "" : `  ${term}`]
    return [...start, ...lines.map((line, i) => (margins[i] ?? "").padEnd(column) + line)]
  })
}

/** Maximum number of choices in a term. Otherwise only the error message lists them. */
const maxChoices = 4

const optionDefinition = (option: OptionInfo): Definition => {
  const { alias, choices = [], description, isRequired } = option
  const shown = choices.length > maxChoices ? { ...option, choices: undefined } : option
  return [
    `${alias === undefined ? "" : `${alias}, `}${optionWithValue(shown)}`,
    `${description}${isRequired ? " (required)" : ""}`
  ]
}

const usageOf = (command: CommandInfo): string =>
  [
    ...command.path,
    ...(isGroup(command) ? ["<command>"] : []),
    ...command.arguments.map(({ isRequired, name }) => (isRequired ? `<${name}>` : `[<${name}>]`)),
    ...command.options.filter(({ isRequired }) => isRequired).map(optionWithValue),
    "[options]"
  ].join(" ")

/** Returns all examples of a command. For a group, returns the first example of each of its subcommands. */
const examplesOf = (command: CommandInfo): ReadonlyArray<readonly [line: string, text: string]> =>
  isGroup(command)
    ? command.subcommands.flatMap((below) =>
        allCommands(below)
          .flatMap((one) => Object.entries(examples[nameOf(one)] ?? {}))
          .slice(0, 1)
      )
    : Object.entries(examples[nameOf(command)] ?? {})

export const render = (command: CommandInfo, { isStyled, width }: Style): string => {
  const [program = ""] = command.path
  const isRoot = command.path.length === 1
  const section = (title: string, lines: ReadonlyArray<string>) =>
    lines.length === 0
      ? []
      : [[isStyled ? `\u001b[1m${title}\u001b[0m` : title, ...lines].join("\n")]
  const definitions = (title: string, all: ReadonlyArray<Definition>) =>
    section(title, definitionList(all, width))
  return [
    wrap(command.description, width).join("\n"),
    ...section("USAGE", [`  ${usageOf(command)}`]),
    ...definitions(
      "COMMANDS",
      command.subcommands.map(({ description, name }) => [name, firstSentence(description)])
    ),
    ...definitions(
      "ARGUMENTS",
      command.arguments.map(({ description, name }) => [inBrackets(name), description])
    ),
    ...definitions("OPTIONS", optionsOf(command).map(optionDefinition)),
    ...section(
      "EXAMPLES",
      examplesOf(command).flatMap(([line, text]) => [`  ${text}`, `    ${program} ${line}`])
    ),
    ...definitions("ENVIRONMENT", Object.entries(environmentOf(nameOf(command)))),
    ...definitions(
      "EXIT CODES",
      exitCodes.map(([code, text]) => [String(code), text])
    ),
    ...(isRoot
      ? [
          ...section("COMPLETION", [
            `  bash, zsh: source <(${program} --completions bash), or zsh`,
            `  fish:      ${program} --completions fish | source`
          ]),
          ...section("LEARN MORE", [`  ${program} <command> --help`])
        ]
      : isGroup(command)
        ? section("LEARN MORE", [`  ${command.path.join(" ")} <command> --help`])
        : [])
  ].join("\n\n")
}
