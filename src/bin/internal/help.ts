/** Help as text: what a command is for, how it is written, and what it takes. */

import type { ArgumentInfo, CommandInfo, OptionInfo } from "./commandInfo.js"
import { globalOptions, optionWithValue, standaloneOptions } from "./commandLine.js"
import { exitCodes } from "./exitCodes.js"
import { environmentOf, examples, type HelpEntry } from "./helpTexts.js"

export interface Style {
  /** Characters in a line. */
  readonly width: number
  readonly isStyled: boolean
}

const wrap = (text: string, width: number): ReadonlyArray<string> => {
  const lines: Array<string> = []
  let line = ""
  for (const word of text.split(/\s+/)) {
    if (line !== "" && line.length + 1 + word.length > width) {
      lines.push(line)
      line = word
    } else line = line === "" ? word : `${line} ${word}`
  }
  return [...lines, line]
}

const indent = (lines: ReadonlyArray<string>, by: number) =>
  lines.map((line) => `${" ".repeat(by)}${line}`)

/** Terms that are longer stand on a line of their own. */
const longestTerm = 26

/** Terms to the left, their texts beside them. */
const definitionList = (lines: ReadonlyArray<HelpEntry>, width: number): ReadonlyArray<string> => {
  const column = 2 + Math.min(longestTerm, Math.max(...lines.map(({ term }) => term.length))) + 2
  return lines.flatMap(({ term, text }) => {
    const [first = "", ...others] = wrap(text, Math.max(20, width - column))
    return [
      ...(term.length > longestTerm
        ? [`  ${term}`, `${" ".repeat(column)}${first}`]
        : [`  ${term.padEnd(column - 2)}${first}`]),
      ...indent(others, column)
    ]
  })
}

const termOf = (option: OptionInfo) =>
  `${option.alias === undefined ? "" : `${option.alias}, `}${optionWithValue(
    // of many the description or an error tells
    (option.choices?.length ?? 0) > 4 ? { ...option, choices: undefined } : option
  )}`

const optionEntry = (option: OptionInfo): HelpEntry => ({
  term: termOf(option),
  text: `${option.description}${option.isRequired ? " (required)" : ""}`
})

const argumentEntry = ({ description, name }: ArgumentInfo): HelpEntry => ({
  term: `<${name}>`,
  text: description
})

const firstSentence = (text: string) => /^.*?\.(?=\s|$)/.exec(text)?.[0] ?? text

const usageOf = (command: CommandInfo, path: ReadonlyArray<string>): string =>
  [
    ...path,
    ...(command.subcommands.length > 0 ? ["<command>"] : []),
    ...command.arguments.map(({ isRequired, name }) => (isRequired ? `<${name}>` : `[<${name}>]`)),
    ...command.options.filter(({ isRequired }) => isRequired).map(optionWithValue),
    "[options]"
  ].join(" ")

export const render = (
  command: CommandInfo,
  path: ReadonlyArray<string>,
  { isStyled, width }: Style
): string => {
  const [program = ""] = path
  const isRoot = command.subcommands.length > 0
  const title = (text: string) => (isStyled ? `\u001b[1m${text}\u001b[0m` : text)
  const section = (name: string, lines: ReadonlyArray<string>) =>
    lines.length === 0 ? [] : [[title(name), ...lines].join("\n")]
  const shownExamples = isRoot
    ? Object.values(examples).flatMap((all) => all.slice(0, 1))
    : (examples[command.name] ?? [])
  const options = [...command.options, ...globalOptions, ...(isRoot ? standaloneOptions : [])].map(
    optionEntry
  )
  return [
    wrap(command.description, width).join("\n"),
    ...section("USAGE", indent([usageOf(command, path)], 2)),
    ...section(
      "COMMANDS",
      isRoot
        ? definitionList(
            command.subcommands.map(({ description, name }) => ({
              term: name,
              text: firstSentence(description)
            })),
            width
          )
        : []
    ),
    ...section(
      "ARGUMENTS",
      command.arguments.length === 0
        ? []
        : definitionList(command.arguments.map(argumentEntry), width)
    ),
    ...section("OPTIONS", definitionList(options, width)),
    ...section(
      "EXAMPLES",
      shownExamples.flatMap(({ term, text }) => [`  ${text}`, `    ${program} ${term}`])
    ),
    ...section("ENVIRONMENT", definitionList(environmentOf(command.name), width)),
    ...section(
      "EXIT CODES",
      definitionList(
        exitCodes.map(([code, text]) => ({ term: String(code), text })),
        width
      )
    ),
    ...section(
      "COMPLETION",
      isRoot
        ? [
            `  bash, zsh: source <(${program} --completions bash), or zsh`,
            `  fish:      ${program} --completions fish | source`
          ]
        : []
    ),
    ...section("LEARN MORE", isRoot ? [`  ${program} <command> --help`] : [])
  ].join("\n\n")
}
