/** Reads and writes scenario files. */
import * as Either from "effect/Either"
import * as Option from "effect/Option"
import type * as ParseResult from "effect/ParseResult"
import * as Schema from "effect/Schema"
import * as AST from "effect/SchemaAST"
import { formatPath } from "../../../internal/schema/construct.js"

/** Decodes the text of a JSON file. Returns all problems on the left, without values of the file, because these may be secret. */
export const read = <A, I>(
  schema: Schema.Schema<A, I>,
  text: string
): Either.Either<A, ReadonlyArray<string>> =>
  Either.flatMap(parse(text.replace(/^\ufeff/, "")), (json) =>
    Either.mapLeft(
      Schema.decodeUnknownEither(schema, { errors: "all", onExcessProperty: "error" })(json),
      ({ issue }) => problemsOf(issue, "the scenario")
    )
  )

/** Encodes a value to the text of a JSON file. Returns all problems on the left. */
export const write = <A, I>(
  schema: Schema.Schema<A, I>,
  value: A
): Either.Either<string, ReadonlyArray<string>> =>
  Either.mapBoth(Schema.encodeEither(schema, { errors: "all" })(value), {
    onLeft: ({ issue }) => problemsOf(issue, "the scenario"),
    onRight: (json) => `${JSON.stringify(json, undefined, 2)}\n`
  })

const parse = (text: string): Either.Either<unknown, ReadonlyArray<string>> =>
  Either.try({
    try: () => JSON.parse(text),
    catch: () => [`This is not JSON: ${describePosition(text, jsonErrorPosition(text))}`]
  })

const describePosition = (text: string, position: number): string => {
  if (position >= text.trimEnd().length) return "it ends too early."
  const lines = text.slice(0, position).split("\n")
  return `line ${lines.length}, column ${(lines.at(-1)?.length ?? 0) + 1}.`
}

/**
 * Returns the index of the first invalid character, or the length of the text if it ends too early. Searches for the index by
 * bisection, because not all JavaScript engines report it.
 */
const jsonErrorPosition = (text: string): number => {
  let validLength = 0
  let invalidLength = text.length
  if (isJsonPrefix(text)) return invalidLength
  while (invalidLength - validLength > 1) {
    const middle = (validLength + invalidLength) >> 1
    if (isJsonPrefix(text.slice(0, middle))) validLength = middle
    else invalidLength = middle
  }
  return validLength
}

/** Returns true if a text is JSON or the beginning of JSON. */
const isJsonPrefix = (text: string): boolean => {
  try {
    JSON.parse(text)
    return true
  } catch (error) {
    const message = String((error as Error).message)
    const position = /position (\d+)/.exec(message)?.[1]
    return position === undefined
      ? /end of|EOF|Unterminated/.test(message)
      : Number(position) >= text.length
  }
}

/** Describes the mismatches with a schema: the path (or `rootName`) and the expected type of each, without the value. */
export const problemsOf = (
  issue: ParseResult.ParseIssue,
  rootName: string
): ReadonlyArray<string> => [
  ...new Set(
    problemsAt(issue, [], []).map(([path, problem]) => `${formatPath(path, rootName)}: ${problem}`)
  )
]

type Path = ReadonlyArray<PropertyKey>

type Problem = readonly [path: Path, problem: string]

/** Returns the innermost mismatches of an issue. `names` are the fields of the enclosing object. */
const problemsAt = (
  issue: ParseResult.ParseIssue,
  path: Path,
  names: ReadonlyArray<PropertyKey>
): ReadonlyArray<Problem> => {
  const here = (problem: string): ReadonlyArray<Problem> => [[path, problem]]
  switch (issue._tag) {
    case "Pointer":
      return problemsAt(issue.issue, path.concat(issue.path), names)
    case "Missing":
      return here("is missing")
    case "Unexpected":
      return here(`is not known. There are ${listed(names.map(String), "and")}`)
    case "Type":
    case "Forbidden":
      return here(`Expected ${expectedOf(issue.ast)}`)
    case "Refinement":
    case "Transformation":
      return Option.isSome(descriptionOf(issue.ast))
        ? here(`Expected ${expectedOf(issue.ast)}`)
        : problemsAt(issue.issue, path, names)
    case "Composite": {
      const issues = Array.isArray(issue.issues)
        ? // the cast is needed, because `Array.isArray` does not narrow the type of a readonly array
          (issue.issues as ReadonlyArray<ParseResult.ParseIssue>)
        : [issue.issues as ParseResult.ParseIssue]
      if (!AST.isUnion(issue.ast)) {
        return issues.flatMap((each) => problemsAt(each, path, namesOf(issue.ast)))
      }
      // ignores the union members of another type, because the value is not meant for them
      const closest = issues.filter(({ _tag }) => _tag !== "Type")
      return closest.length === 0
        ? here(`Expected ${expectedOf(issue.ast)}`)
        : closest.flatMap((each) => problemsAt(each, path, names))
    }
  }
}

const descriptionOf = AST.getDescriptionAnnotation

const expectedOf = (ast: AST.AST): string =>
  Option.getOrElse(descriptionOf(ast), () => {
    switch (ast._tag) {
      case "Literal":
        return JSON.stringify(ast.literal)
      case "Union":
        return listed([...new Set(ast.types.filter(isInJson).map(expectedOf))], "or")
      case "TupleType":
        return "a list"
      case "Refinement":
      case "Transformation":
        return expectedOf(ast.from)
      default:
        return "an object"
    }
  })

const isInJson = (ast: AST.AST) => !AST.isUndefinedKeyword(ast)

const namesOf = (ast: AST.AST): ReadonlyArray<PropertyKey> =>
  AST.isTypeLiteral(ast) ? ast.propertySignatures.map(({ name }) => name) : []

const listed = (all: ReadonlyArray<string>, conjunction: "and" | "or"): string =>
  all.length < 2
    ? all.join()
    : `${all.slice(0, -1).join(", ")} ${conjunction} ${all[all.length - 1]}`
