/**
 * The options and arguments of a command, as plain data. The library for command lines knows it, but only tells it in sentences of its
 * own, so its descriptions are read here: the version is pinned, and a shape that is not known is an error.
 */
import type * as Command from "@effect/cli/Command"
import type * as HelpDoc from "@effect/cli/HelpDoc"
import type * as Span from "@effect/cli/HelpDoc/Span"
import type * as Option from "effect/Option"

export interface OptionInfo {
  /** With its dashes, and one letter's where there is one. */
  readonly name: string
  readonly alias?: string | undefined
  /** The kind of its value; a flag has none. */
  readonly value?: string | undefined
  /** All that its value can be, where that is a list. */
  readonly choices?: ReadonlyArray<string> | undefined
  readonly description: string
  readonly isRequired: boolean
  readonly isRepeatable: boolean
}

export interface ArgumentInfo {
  readonly name: string
  readonly description: string
  readonly isRequired: boolean
}

export interface CommandInfo {
  readonly name: string
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

/** How options and arguments are put together: with the same tags. */
type Parameter =
  | Single
  | { readonly _tag: "Empty" }
  | { readonly _tag: "Both"; readonly left: Parameter; readonly right: Parameter }
  | {
      readonly _tag: "Map" | "WithDefault"
      readonly options?: Parameter
      readonly args?: Parameter
    }
  | { readonly _tag: "Variadic"; readonly argumentOption: Single }

type Descriptor =
  | {
      readonly _tag: "Standard"
      readonly name: string
      readonly description: HelpDoc.HelpDoc
      readonly options: Parameter
      readonly args: Parameter
    }
  | { readonly _tag: "Map"; readonly command: Descriptor }
  | {
      readonly _tag: "Subcommands"
      readonly parent: Descriptor
      readonly children: ReadonlyArray<Descriptor>
    }

const unknownShape = (value: never): never => {
  throw new Error(`@effect/cli has a part that is not known here: ${JSON.stringify(value)}`)
}

const textOfSpan = (span: Span.Span): string =>
  span._tag === "Sequence"
    ? textOfSpan(span.left) + textOfSpan(span.right)
    : typeof span.value === "string"
      ? span.value
      : textOfSpan(span.value)

const textOf = (doc: HelpDoc.HelpDoc): string =>
  doc._tag === "Sequence"
    ? [textOf(doc.left), textOf(doc.right)].filter((text) => text !== "").join(" ")
    : doc._tag === "Paragraph" || doc._tag === "Header"
      ? textOfSpan(doc.value)
      : ""

interface FoundParameter {
  readonly single: Single
  readonly isRequired: boolean
  readonly isRepeatable: boolean
}

const singlesOf = (
  parameter: Parameter,
  isRequired = true,
  isRepeatable = false
): ReadonlyArray<FoundParameter> => {
  switch (parameter._tag) {
    case "Empty":
      return []
    case "Single":
      return [{ single: parameter, isRequired, isRepeatable }]
    case "Both":
      return [
        ...singlesOf(parameter.left, isRequired, isRepeatable),
        ...singlesOf(parameter.right, isRequired, isRepeatable)
      ]
    case "Variadic":
      return singlesOf(parameter.argumentOption, false, true)
    case "Map":
    case "WithDefault": {
      const inner = parameter.options ?? parameter.args
      return inner === undefined
        ? unknownShape(parameter as never)
        : singlesOf(inner, isRequired && parameter._tag === "Map", isRepeatable)
    }
    default:
      return unknownShape(parameter)
  }
}

const valueOf = ({ name, primitiveType, pseudoName }: Single): string | undefined =>
  primitiveType._tag === "Bool"
    ? undefined
    : pseudoName._tag === "Some"
      ? pseudoName.value
      : primitiveType._tag === "Path"
        ? "file"
        : name

const optionOf = ({ isRepeatable, isRequired, single }: FoundParameter): OptionInfo => ({
  name: single.fullName,
  alias: single.aliases.map((alias) => `-${alias}`)[0],
  value: valueOf(single),
  choices: single.primitiveType.alternatives?.map(([name]) => name),
  description: textOf(single.description),
  // a flag that is not given is off
  isRequired: isRequired && single.primitiveType._tag !== "Bool",
  isRepeatable
})

const argumentOf = ({ isRequired, single }: FoundParameter): ArgumentInfo => ({
  name: single.name.replace(/^<|>$/g, ""),
  description: textOf(single.description),
  isRequired
})

const fromDescriptor = (descriptor: Descriptor): CommandInfo => {
  switch (descriptor._tag) {
    case "Standard":
      return {
        name: descriptor.name,
        description: textOf(descriptor.description),
        options: singlesOf(descriptor.options).map(optionOf),
        arguments: singlesOf(descriptor.args).map(argumentOf),
        subcommands: []
      }
    case "Map":
      return fromDescriptor(descriptor.command)
    case "Subcommands":
      return {
        ...fromDescriptor(descriptor.parent),
        subcommands: descriptor.children.map(fromDescriptor)
      }
    default:
      return unknownShape(descriptor)
  }
}

export const commandInfoOf = <Name extends string, R, E, A>(
  command: Command.Command<Name, R, E, A>
): CommandInfo =>
  // its parts are not in the library's types
  fromDescriptor(command.descriptor as unknown as Descriptor)
