/** Returns the first issue of a failed decoding, without the invalid value that the messages of Schema contain. */
import * as ParseResult from "effect/ParseResult"

export interface Issue {
  readonly path: ReadonlyArray<PropertyKey>
  readonly expected: string
}

export const firstIssue = (error: ParseResult.ParseError): Issue => {
  const [issue] = ParseResult.ArrayFormatter.formatErrorSync(error)
  return { path: issue?.path ?? [], expected: expectedOf(issue?.message ?? "") }
}

const expectedOf = (message: string): string =>
  message.startsWith("Expected ")
    ? (message.slice("Expected ".length).split(", actual ", 1)[0] ?? "")
    : "a value"
