/**
 * The options and arguments of a command, as plain data. They are read from descriptors that the types of @effect/cli do not
 * include. Its version is therefore pinned, and an unknown shape is an error.
 */
import type * as Command from "@effect/cli/Command"
import * as HelpDoc from "@effect/cli/HelpDoc"
import * as Span from "@effect/cli/HelpDoc/Span"
import type * as Option from "effect/Option"

export interface OptionInfo {
  /** The name, with its dashes. */
  readonly name: string
  /** The single-letter form, with its dash. */
  readonly alias?: string | undefined
  /** The placeholder of the value. Absent for a flag. */
  readonly value?: string | undefined
  /** Every possible value, if the option is a choice. */
  readonly choices?: ReadonlyArray<string> | undefined
  readonly description: string
  readonly isRequired: boolean
  readonly isRepeatable: boolean
}

type ArgumentInfo = Pick<OptionInfo, "name" | "description" | "isRequired">

export interface CommandInfo {
  readonly name: string
  /** The names of the program, of groups of commands, and of this command. */
  readonly path: ReadonlyArray<string>
  readonly description: string
  readonly options: ReadonlyArray<OptionInfo>
  readonly arguments: ReadonlyArray<ArgumentInfo>
  readonly subcommands: ReadonlyArray<CommandInfo>
}

interface Single {
  readonly _tag: "Single"
  readonly name: string
  readonly fullName: string
  readonly aliases: ReadonlyArray<string>
  readonly pseudoName: Option.Option<string>
  readonly primitiveType: {
    readonly _tag: string
    readonly alternatives?: ReadonlyArray<readonly [string, unknown]>
  }
  readonly description: HelpDoc.HelpDoc
}

/** Options and arguments have the same tags. */
type Parameter =
  | Single
  | { readonly _tag: "Empty" }
  | { readonly _tag: "Both"; readonly left: Parameter; readonly right: Parameter }
  | { readonly _tag: "Map" | "WithDefault"; readonly options?: Parameter; readonly args: Parameter }
  | { readonly _tag: "Variadic"; readonly argumentOption: Single }

type Descriptor =
  | ({ readonly _tag: "Standard"; readonly options: Parameter; readonly args: Parameter } & Pick<
      Single,
      "name" | "description"
    >)
  | { readonly _tag: "Map"; readonly command: Descriptor }
  | {
      readonly _tag: "Subcommands"
      readonly parent: Descriptor
      readonly children: ReadonlyArray<Descriptor>
    }

const unknownShape = (value: unknown): never => {
  throw new Error(`@effect/cli has a descriptor of unknown shape: ${JSON.stringify(value)}`)
}

const textOf = (doc: HelpDoc.HelpDoc): string => {
  const span = HelpDoc.getSpan(doc)
  return Span.isText(span) ? span.value : unknownShape(doc)
}

interface FoundParameter {
  readonly single: Single
  readonly isRequired: boolean
  readonly isRepeatable: boolean
}

const singlesOf = (parameter: Parameter, isRequired = true): ReadonlyArray<FoundParameter> => {
  switch (parameter._tag) {
    case "Empty":
      return []
    case "Single":
      return [{ single: parameter, isRequired, isRepeatable: false }]
    case "Both":
      return [parameter.left, parameter.right].flatMap((side) => singlesOf(side, isRequired))
    case "Variadic":
      return [{ single: parameter.argumentOption, isRequired: false, isRepeatable: true }]
    case "Map":
      return singlesOf(parameter.options ?? parameter.args, isRequired)
    case "WithDefault":
      return singlesOf(parameter.options ?? parameter.args, false)
    default:
      return unknownShape(parameter)
  }
}

const placeholderOf = ({ name, primitiveType, pseudoName }: Single): string | undefined => {
  if (primitiveType._tag === "Bool") return undefined
  if (pseudoName._tag === "Some") return pseudoName.value
  return primitiveType._tag === "Path" ? "file" : name
}

const optionOf = ({ isRepeatable, isRequired, single }: FoundParameter): OptionInfo => ({
  name: single.fullName,
  alias: single.aliases.map((alias) => `-${alias}`)[0],
  value: placeholderOf(single),
  choices: single.primitiveType.alternatives?.map(([name]) => name),
  description: textOf(single.description),
  // a flag is off by default
  isRequired: isRequired && single.primitiveType._tag !== "Bool",
  isRepeatable
})

const argumentOf = ({ isRequired, single }: FoundParameter): ArgumentInfo => ({
  name: single.name.replace(/^<|>$/g, ""),
  description: textOf(single.description),
  isRequired
})

const fromDescriptor = (descriptor: Descriptor, above: ReadonlyArray<string>): CommandInfo => {
  switch (descriptor._tag) {
    case "Standard":
      return {
        name: descriptor.name,
        path: [...above, descriptor.name],
        description: textOf(descriptor.description),
        options: singlesOf(descriptor.options).map(optionOf),
        arguments: singlesOf(descriptor.args).map(argumentOf),
        subcommands: []
      }
    case "Map":
      return fromDescriptor(descriptor.command, above)
    case "Subcommands": {
      const parent = fromDescriptor(descriptor.parent, above)
      return {
        ...parent,
        subcommands: descriptor.children.map((child) => fromDescriptor(child, parent.path))
      }
    }
    default:
      return unknownShape(descriptor)
  }
}

export const commandInfoOf = <Name extends string, R, E, A>(
  command: Command.Command<Name, R, E, A>
): CommandInfo => fromDescriptor(command.descriptor as unknown as Descriptor, [])

/** Returns a command and all commands below it, including groups. */
export const allCommands = (command: CommandInfo): ReadonlyArray<CommandInfo> => [
  command,
  ...command.subcommands.flatMap(allCommands)
]

/** Returns true for a command that only contains other commands. */
export const isGroup = ({ subcommands }: CommandInfo): boolean => subcommands.length > 0

/** Returns the name without the program, such as `ledger init`. Empty for the program itself. */
export const nameOf = ({ path }: CommandInfo): string => path.slice(1).join(" ")

/** Returns the first sentence of a description, for a list. */
export const firstSentence = (text: string) => /^.*?\.(?=\s|$)/.exec(text)?.[0] ?? text
