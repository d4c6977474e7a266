/** AWS JSON 1.1 as a client speaks it: a request's body, an answer's meaning. */
import * as Either from "effect/Either"
import type { CommonError, ModelledException, OperationName } from "../MeteringError.js"
import type { Operation } from "../Operation.js"
import * as codec from "./codec.js"
import { about, type HttpAnswer, isSuccess } from "./httpAnswer.js"
import { targetPrefix } from "./names.js"
import { decodeError, unexpected } from "./serviceError.js"
import { of } from "./shape.js"

export const contentType = "application/x-amz-json-1.1"

export const target = (name: OperationName) => `${targetPrefix}.${name}`

/** Compiles the body of an operation's requests. */
export const bodyEncoder = <Request extends object>(operation: {
  readonly request: Operation<Request, unknown, ModelledException>["request"]
}): ((request: Request) => string) => {
  const project = codec.projection(of(operation.request))
  return (request) => JSON.stringify(project(request))
}

/**
 * Compiles the reading of an operation's answers. `conceal` takes out of the service's words whatever must
 * not be repeated.
 */
export const answerDecoder = <Request, Response, E extends ModelledException, Answer>(
  operation: Operation<Request, Response, E, Answer>
): ((
  answer: HttpAnswer,
  conceal: (text: string) => string
) => Either.Either<Response, E | CommonError>) => {
  const shape = of(operation.response)
  const read = codec.reader(shape)
  const keepsUnreadable = shape.about.includes("unreadable")
  /** Whether a response has nothing of its own: then its body may be that of an error, whatever its status. */
  const isEmpty = (value: object) =>
    shape.fields.every(({ name }) => {
      const member = (value as Record<string, unknown>)[name]
      return member === undefined || (Array.isArray(member) && member.length === 0)
    })
  return (answer, conceal) => {
    const json = answer.isTooLong ? undefined : parse(answer.body)
    if (!isSuccess(answer)) {
      return Either.left(decodeError(operation, answer, json, conceal))
    }
    if (json === undefined) return Either.left(unexpected(operation.name, answer, conceal))
    const unreadable: Array<unknown> = []
    const value = read(json, unreadable, {
      ...about(answer, conceal),
      ...(keepsUnreadable && { unreadable, missingRecords: [] })
    })
    if (unreadable.length === 0 && isEmpty(value)) {
      const error = decodeError(operation, answer, json, conceal)
      // what the service is not known to say may as well be another's words
      if (error._tag !== "UnknownServiceError" && error._tag !== "UnexpectedResponseError") {
        return Either.left(error)
      }
    }
    // the reader makes instances of the class that the shape was read from
    const response = value as Response
    const missing = operation.missing?.(response)
    return missing === undefined
      ? Either.right(response)
      : Either.left(unexpected(operation.name, answer, conceal, missing))
  }
}

/** An empty body is an empty object, and so is null; what is no object at all is nothing. */
const parse = (body: string): Record<string, unknown> | undefined => {
  // some clients take it off and others leave it
  const text = body.startsWith("\ufeff") ? body.slice(1) : body
  if (text.trim() === "") return {}
  try {
    const json: unknown = JSON.parse(text) ?? {}
    return typeof json === "object" && !Array.isArray(json)
      ? (json as Record<string, unknown>)
      : undefined
  } catch {
    return undefined
  }
}
