/** The client's side of AWS JSON 1.1: encodes requests, decodes responses. */
import * as Either from "effect/Either"
import type { CommonError, ServiceException } from "../../MeteringError.js"
import type { Any as AnyOperation, Operation } from "../../Operation.js"
import { decoder } from "../schema/decodeResponse.js"
import { jsonEncoder } from "../schema/jsonEncoder.js"
import { shapeOf } from "../schema/shape.js"
import { decodeError, unexpectedResponse } from "./decodeError.js"
import { isSuccess, type RawResponse, responseMetadata } from "./rawResponse.js"

export const contentType = "application/x-amz-json-1.1"

/** The value of `x-amz-target` in requests of an operation. */
export const targetOf = ({ name, service }: Pick<AnyOperation, "name" | "service">) =>
  `${service.targetPrefix}.${name}`

/** Compiles the body of an operation's requests. */
export const requestEncoder = <Request extends object>(operation: {
  readonly request: Operation<Request, unknown, ServiceException>["request"]
}): ((request: Request) => string) => {
  const encode = jsonEncoder(shapeOf(operation.request))
  return (request) => JSON.stringify(encode(request))
}

/** Compiles the decoder of an operation's responses. `redact` removes secrets from the service's messages. */
export const responseDecoder = <Request, Response, E extends ServiceException, Result>(
  operation: Operation<Request, Response, E, Result>
): ((
  rawResponse: RawResponse,
  redact: (text: string) => string
) => Either.Either<Response, E | CommonError>) => {
  const shape = shapeOf(operation.response)
  const decode = decoder(shape)
  const keepsUnreadable = shape.metadataFields.includes("unreadable")
  /** Returns whether no field of the response is set. The body may then be that of an error, with any status. */
  const isEmpty = (value: object) =>
    shape.fields.every(({ name }) => {
      const fieldValue = (value as Record<string, unknown>)[name]
      return fieldValue === undefined || (Array.isArray(fieldValue) && fieldValue.length === 0)
    })
  return (rawResponse, redact) => {
    const json = rawResponse.isTooLong ? undefined : parse(rawResponse.body)
    if (!isSuccess(rawResponse)) {
      return Either.left(decodeError(operation, rawResponse, json, redact))
    }
    if (json === undefined)
      return Either.left(unexpectedResponse(operation.name, rawResponse, redact))
    const unreadable: Array<unknown> = []
    const value = decode(json, unreadable, {
      ...responseMetadata(rawResponse, redact),
      ...(keepsUnreadable && { unreadable })
    })
    if (unreadable.length === 0 && isEmpty(value)) {
      const error = decodeError(operation, rawResponse, json, redact)
      // only a known code makes this an error, because an unknown code may be from a proxy
      if (error._tag !== "UnknownServiceError" && error._tag !== "UnexpectedResponseError") {
        return Either.left(error)
      }
    }
    // the decoder returns an instance of the operation's response class
    const response = value as Response
    const missing = operation.missing?.(response)
    return missing === undefined
      ? Either.right(response)
      : Either.left(unexpectedResponse(operation.name, rawResponse, redact, missing))
  }
}

/** Parses a JSON object. Returns an empty object for an empty body or `null`, and `undefined` for any other body. */
const parse = (body: string): Record<string, unknown> | undefined => {
  // removes the byte order mark, which only some HTTP clients do
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
