/** The pipeline of a call: validate, encode, get credentials, send, recover, decode, measure. */
import * as Effect from "effect/Effect"
import { identity } from "effect/Function"
import * as Record from "effect/Record"
import type { Credentials } from "../../AwsCredentials.js"
import {
  type CommonError,
  InvalidInputError,
  type ServiceException,
  type Violation
} from "../../MeteringError.js"
import type { Any as AnyOperation, Operation } from "../../Operation.js"
import type { Rule } from "../../Preflight.js"
import type * as Transport from "../../Transport.js"
import { unredact } from "../credentials/credentials.js"
import * as awsJson from "../protocol/awsJson.js"
import { requestSizeLimit, requestTooLarge } from "../protocol/requestSize.js"
import { invalidInput, requestOf } from "../schema/construct.js"
import { shapeOf } from "../schema/shape.js"
import * as validate from "../schema/validate.js"
import { makeRecovery } from "./recovery.js"
import { redactor, secretsOf } from "./redact.js"
import { instrumentCall, traceAttempt } from "./telemetry.js"

/** One method for each operation. A method takes a request or the fields of one. */
export type ClientOf<Operations> = {
  readonly [Method in keyof Operations]: Operations[Method] extends Operation<
    infer _Request,
    infer _Response,
    infer E,
    infer Result
  >
    ? (input: unknown) => Effect.Effect<Result, E | CommonError>
    : never
}

export interface ClientOptions {
  readonly skipRules?: ReadonlyArray<Rule> | undefined
}

const textEncoder = new TextEncoder()

export const makeClient = <Operations extends Readonly<Record<string, AnyOperation>>>(
  operations: Operations,
  transport: Transport.Transport,
  { skipRules = [] }: ClientOptions = {}
): ClientOf<Operations> & { readonly region: string | undefined } => {
  const withRecovery = makeRecovery(transport)
  const { endpoint, region } = transport
  const url = endpoint && new URL(endpoint)
  const inSpan: ReturnType<typeof traceAttempt> = url ? traceAttempt(url) : identity
  const callAttributes = {
    ...(region !== undefined && { "cloud.region": region }),
    ...(url && { "server.address": url.hostname })
  }
  const checksSize = !skipRules.includes("requestSize")

  const makeMethod = <
    Request extends object,
    Response extends object,
    E extends ServiceException,
    Result extends object
  >(
    operation: Operation<Request, Response, E, Result>
  ) => {
    const { mapResult, name, preflight } = operation
    const rejectInput = (violation: Violation) =>
      Effect.fail(new InvalidInputError({ operation: name, violations: [violation] }, true))
    const compile = () => ({
      violationsOf: validate.compile(shapeOf(operation.request), skipRules),
      encode: awsJson.requestEncoder(operation),
      decode: awsJson.responseDecoder(operation),
      secretsIn: secretsOf(operation.request),
      headers: { "content-type": awsJson.contentType, "x-amz-target": awsJson.targetOf(operation) },
      observed: instrumentCall(operation, callAttributes)
    })
    // compiled by the first call, because most programs call only one operation
    let compiled: ReturnType<typeof compile> | undefined

    const send = (request: Request): Effect.Effect<Response, E | CommonError> => {
      const { decode, encode, headers, secretsIn } = (compiled ??= compile())
      const body = textEncoder.encode(encode(request))
      if (checksSize && body.length >= requestSizeLimit) {
        return rejectInput(requestTooLarge(body.length))
      }
      return withRecovery<Response, E | CommonError>(name, (credentials, clockOffset) => {
        const redactorOf = ({ secrets = [] }: Transport.Response) =>
          redactor(() => [...secretsOfCredentials(credentials), ...secrets, ...secretsIn(request)])
        return Effect.map(
          inSpan(
            transport.send({ operation, request, body, headers, credentials, clockOffset }),
            redactorOf
          ),
          (response) => ({ response, outcome: decode(response, redactorOf(response)) })
        )
      })
    }

    return (input: unknown): Effect.Effect<Result, E | CommonError> => {
      const request = requestOf(operation, input)
      const { observed, violationsOf } = (compiled ??= compile())
      return observed(
        Effect.suspend(() => {
          const invalid = invalidInput(violationsOf(request), name)
          if (invalid !== undefined) return Effect.fail(invalid)
          const violation = preflight?.(request)
          if (violation !== undefined) return rejectInput(violation)
          return mapResult === undefined
            ? // the cast is safe because without `mapResult` the result of an operation is its response
              (send(request) as unknown as Effect.Effect<Result, E | CommonError>)
            : Effect.flatMap(Effect.either(send(request)), (outcome) => mapResult(request, outcome))
        })
      )
    }
  }
  // the cast is safe because each method is made from the operation of its name
  return { ...(Record.map(operations, makeMethod) as ClientOf<Operations>), region }
}

const secretsOfCredentials = (credentials: Credentials | undefined) => {
  if (credentials === undefined) return []
  const { secretAccessKey, sessionToken } = unredact(credentials)
  return [secretAccessKey, sessionToken]
}
