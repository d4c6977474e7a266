/** The server side of AWS JSON 1.1. Decodes requests, and encodes responses and errors. */
import type * as Duration from "effect/Duration"
import * as Either from "effect/Either"
import { jsonEncoder } from "../../../internal/schema/jsonEncoder.js"
import { shapeOf } from "../../../internal/schema/shape.js"
import type { CommonError, InvalidInputError, ServiceException } from "../../../MeteringError.js"
import type { DryRunResponse } from "../../../MeterUsage.js"
import type { Operation } from "../../../Operation.js"
import {
  type AnyOperation,
  commonErrorResponse,
  dryRunSucceeded,
  type HttpResponse,
  httpResponse,
  internalFailure,
  isModelled,
  operationErrorResponse,
  retryAfter,
  validationErrorOf
} from "../model/serviceResponse.js"
import { type Mismatch, makeRequestDecoder } from "./decodeRequest.js"

/** Compiles the codec of an operation. */
export const operationCodec = <
  Request extends object,
  Response,
  E extends ServiceException,
  Result
>(
  operation: Operation<Request, Response, E, Result>
) => ({
  decode: bodyDecoder<Request>(operation),
  encode: responseEncoder(operation),
  encodeError: (error: E | CommonError): HttpResponse => encodeError(operation, error)
})

/** Makes the decoder of request bodies. It checks only types: missing fields stay absent, and preflight rules do not apply. */
const bodyDecoder = <Request>(
  operation: Pick<Operation<Request, unknown, ServiceException>, "request"> & AnyOperation
) => {
  const decode = makeRequestDecoder(shapeOf(operation.request))
  return (body: Uint8Array): Either.Either<Request, HttpResponse> => {
    const json = parse(body)
    if (json === undefined) return serializationException("The body is not a JSON object.")
    const mismatches: Array<Mismatch> = []
    const request = decode(json, mismatches)
    const [first] = mismatches
    // the cast is safe, because the decoder makes instances of the operation's request class
    if (first === undefined) return Either.right(request as Request)
    const message = `${first.path}: expected ${first.expected}`
    return first.isUnknownFilter
      ? Either.left(
          operationErrorResponse(operation, { code: "InvalidParameterException", message })
        )
      : serializationException(message)
  }
}

const parse = (body: Uint8Array): Record<string, unknown> | undefined => {
  try {
    const text = new TextDecoder("utf-8", { fatal: true }).decode(body)
    const json: unknown = text.trim() === "" ? {} : JSON.parse(text)
    return typeof json === "object" && json !== null && !Array.isArray(json)
      ? (json as Record<string, unknown>)
      : undefined
  } catch {
    return undefined
  }
}

const serializationException = (message: string) =>
  Either.left(commonErrorResponse({ code: "SerializationException", message }))

const responseEncoder = <Request, Response, E extends ServiceException, Result>(
  operation: Operation<Request, Response, E, Result>
) => {
  const encode = jsonEncoder(shapeOf(operation.response))
  return (response: Result): HttpResponse => {
    // the cast is safe, because every response has a request id, and only the response to a dry run has `dryRun`
    const { dryRun, requestId } = response as Partial<DryRunResponse>
    const encoded = dryRun
      ? commonErrorResponse(dryRunSucceeded)
      : httpResponse(200, JSON.stringify(encode(response as object)))
    return { ...encoded, requestId }
  }
}

/** The fields that only some errors have. */
interface ErrorFields {
  readonly code?: string | undefined
  readonly statusCode?: number | undefined
  readonly requestId?: string | undefined
  readonly serviceMessage?: string | undefined
  readonly retryAfter?: Duration.Duration | undefined
}

const encodeError = (
  operation: AnyOperation,
  error: ServiceException | CommonError
): HttpResponse => {
  if (isInvalidInput(error)) {
    return operationErrorResponse(operation, validationErrorOf(operation, error))
  }
  // the cast is safe, because no error has one of these fields with another type
  const fields = error as ErrorFields
  const { code, requestId, serviceMessage } = fields
  const response = isModelled(operation, error._tag)
    ? operationErrorResponse(operation, { code: error._tag, message: serviceMessage })
    : code !== undefined
      ? commonErrorResponse({ code, message: serviceMessage }, errorStatus(fields))
      : // an error without a code means that the client failed before it got a response
        internalFailure(`The client behind this server failed: ${error._tag}.`)
  return { ...response, requestId, headers: retryAfter(fields.retryAfter) }
}

const isInvalidInput = (error: ServiceException | CommonError): error is InvalidInputError =>
  error._tag === "InvalidInputError"

const errorStatus = ({ statusCode = 400 }: ErrorFields): number =>
  statusCode >= 400 && statusCode <= 599 ? statusCode : 400
