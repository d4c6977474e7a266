/** Shell completion scripts for commands, options and values. */
import {
  allCommands,
  type CommandInfo,
  firstSentence,
  isGroup,
  nameOf,
  type OptionInfo
} from "./commandInfo.js"
import { optionsOf, type Shell } from "./commandLine.js"

const spellingsOf = ({ alias, name }: OptionInfo) => (alias === undefined ? [name] : [alias, name])

const isFile = ({ value }: OptionInfo) => value === "file"

const takesFile = (command: CommandInfo) => command.arguments.some(({ name }) => name === "file")

const bash = (root: CommandInfo): string => {
  const all = allCommands(root)
  const completionOf = (option: OptionInfo) => {
    if (isFile(option)) {
      return 'compopt -o default 2>/dev/null; COMPREPLY=($(compgen -f -- "$cur")); return'
    }
    return option.choices === undefined
      ? "return"
      : `COMPREPLY=($(compgen -W "${option.choices.join(" ")}" -- "$cur")); return`
  }
  const values = all.flatMap((command) =>
    optionsOf(command)
      .filter(({ value }) => value !== undefined)
      .map((option) => {
        const patterns = spellingsOf(option).map((word) => `"${nameOf(command)}:${word}"`)
        return `    ${patterns.join("|")}) ${completionOf(option)} ;;`
      })
  )
  const words = all.map((command) => {
    const options = optionsOf(command).flatMap(spellingsOf).join(" ")
    const subcommands = command.subcommands.map((subcommand) => subcommand.name).join(" ")
    return `    "${nameOf(command)}") options="${options}" words="${subcommands}" files="${takesFile(command) ? "yes" : ""}" ;;`
  })
  return `_${identifier(root)}() {
  local cur prev command="" options="" words="" files="" i
  cur="\${COMP_WORDS[COMP_CWORD]}"
  prev="\${COMP_WORDS[COMP_CWORD-1]}"
  COMPREPLY=()
  for ((i = 1; i < COMP_CWORD; i++)); do
    case "\${command:+$command }\${COMP_WORDS[i]}" in
    ${all
      .slice(1)
      .map((command) => `"${nameOf(command)}"`)
      .join("|")}) command="\${command:+$command }\${COMP_WORDS[i]}" ;;
    esac
  done
  case "$command:$prev" in
${values.join("\n")}
  esac
  case "$command" in
${words.join("\n")}
  esac
  if [[ $cur == -* || ( -z $words && -z $files ) ]]; then
    COMPREPLY=($(compgen -W "$options" -- "$cur"))
  elif [[ -n $words ]]; then
    COMPREPLY=($(compgen -W "$words" -- "$cur"))
  else
    compopt -o default 2>/dev/null
    COMPREPLY=($(compgen -f -- "$cur"))
  fi
}
complete -F _${identifier(root)} ${root.name}`
}

const identifier = ({ name }: CommandInfo) => name.replace(/\W/g, "_")

const quote = (text: string) => `'${text.replaceAll("'", "'\\''")}'`

const zsh = (root: CommandInfo): string => {
  /** Escapes brackets and colons, which separate the parts of a spec. */
  const escaped = (text: string) => text.replace(/[[\]:\\]/g, "\\$&")
  const valueSpec = (option: OptionInfo) => {
    if (option.value === undefined) return ""
    const words = option.choices === undefined ? "" : `(${option.choices.join(" ")})`
    return `:${option.value}:${isFile(option) ? "_files" : words}`
  }
  const specOf = (option: OptionInfo): ReadonlyArray<string> => {
    const value = valueSpec(option)
    const names = spellingsOf(option)
    const exclusions = option.isRepeatable ? "*" : names.length > 1 ? `(${names.join(" ")})` : ""
    const description = escaped(firstSentence(option.description))
    return names.map((name) => {
      const separator = value !== "" && name.startsWith("--") ? "=" : ""
      return quote(`${exclusions}${name}${separator}[${description}]${value}`)
    })
  }
  const functionName = (group: CommandInfo) => `_${group.path.join("_")}`
  const casesOf = (group: CommandInfo) =>
    group.subcommands.map((command) => {
      const specs = [
        ...optionsOf(command).flatMap(specOf),
        ...(takesFile(command) ? [quote("1:file:_files")] : [])
      ]
      const run = isGroup(command)
        ? functionName(command)
        : `_arguments ${specs.join(" \\\n            ")}`
      return `        ${command.name})\n          ${run}\n          ;;`
    })
  /** Returns a zsh function that completes the commands of a group and their arguments. */
  const functionOf = (group: CommandInfo) => `${functionName(group)}() {
  local curcontext="$curcontext" state line
  typeset -A opt_args
  local -a commands
  commands=(
    ${group.subcommands
      .map(({ description, name }) =>
        quote(`${name}:${firstSentence(description).replaceAll(":", "\\:")}`)
      )
      .join("\n    ")}
  )
  _arguments -C \\
    ${optionsOf(group).flatMap(specOf).join(" \\\n    ")} \\
    '1: :->command' \\
    '*::: :->rest'
  case $state in
    command) _describe -t commands command commands ;;
    rest)
      words=($line[1] "\${words[@]}")
      (( CURRENT += 1 ))
      case $line[1] in
${casesOf(group).join("\n")}
      esac
      ;;
  esac
}`
  return `#compdef ${root.name}
${allCommands(root).filter(isGroup).map(functionOf).join("\n")}
if [ "$funcstack[1]" = "${functionName(root)}" ]; then
  ${functionName(root)} "$@"
else
  compdef ${functionName(root)} ${root.name}
fi`
}

const fish = (root: CommandInfo): string => {
  const base = `complete -c ${root.name}`
  const lineOf = (condition: string) => (option: OptionInfo) =>
    [
      base,
      `-n ${quote(condition)}`,
      `-l ${option.name.slice(2)}`,
      ...(option.alias === undefined ? [] : [`-s ${option.alias.slice(1)}`]),
      ...(option.value === undefined ? [] : [isFile(option) ? "-r -F" : "-x"]),
      ...(option.choices === undefined ? [] : [`-a ${quote(option.choices.join(" "))}`]),
      `-d ${quote(firstSentence(option.description))}`
    ].join(" ")
  const seen = (names: ReadonlyArray<string>) => `__fish_seen_subcommand_from ${names.join(" ")}`
  const below = (group: CommandInfo) => group.subcommands.map(({ name }) => name)
  /** Returns a fish condition for lines that contain the command, and none of its subcommands. */
  const conditionOf = (command: CommandInfo): string =>
    command === root
      ? "__fish_use_subcommand"
      : [
          ...command.path.slice(1).map((name) => seen([name])),
          ...(isGroup(command) ? [`not ${seen(below(command))}`] : [])
        ].join("; and ")
  return [
    `${base} -f`,
    ...allCommands(root).flatMap((command) => {
      const condition = conditionOf(command)
      return [
        ...command.subcommands.map(
          ({ description, name }) =>
            `${base} -n ${quote(condition)} -a ${name} -d ${quote(firstSentence(description))}`
        ),
        ...(takesFile(command) ? [`${base} -n ${quote(condition)} -F`] : []),
        ...optionsOf(command).map(lineOf(condition))
      ]
    })
  ].join("\n")
}

export const completions: { readonly [S in Shell]: (root: CommandInfo) => string } = {
  bash,
  zsh,
  fish
}
