/** Raw requests to a sandbox's server, signed or not. */
import { Effect } from "effect"
import { makeSigner } from "../../src/internal/sigv4/sign.js"
import { SandboxServer } from "../../src/sandbox/index.js"

export interface RawRequest {
  readonly method?: string
  readonly path?: string
  readonly operation?: string
  readonly body?: string | Uint8Array
  readonly headers?: Readonly<Record<string, string>>
  readonly accessKeyId?: string
  readonly secretAccessKey?: string
  readonly sessionToken?: string
  readonly service?: string
  readonly region?: string
  /** Epoch milliseconds; 0 is the beginning of a TestClock. */
  readonly now?: number
  readonly unsigned?: boolean
  /** The body to send in place of the signed one. */
  readonly altered?: {
    readonly body?: string
    readonly headers?: Readonly<Record<string, string>>
    readonly authorization?: (signed: string) => string
  }
}

export interface RawResponse {
  readonly status: number
  readonly headers: Headers
  readonly text: string
  /** Code of an error, with its namespace. */
  readonly type: string | undefined
  readonly message: string | undefined
}

export const post = (request: RawRequest = {}) =>
  Effect.flatMap(SandboxServer.SandboxServer, ({ url: endpoint }) =>
    Effect.promise(async (signal): Promise<RawResponse> => {
      const { body = "{}", method = "POST", operation = "BatchMeterUsage", path = "/" } = request
      const url = endpoint + path
      const headers = {
        "content-type": "application/x-amz-json-1.1",
        "x-amz-target": `AWSMPMeteringService.${operation}`,
        ...request.headers
      }
      const sign = makeSigner({
        method,
        url,
        region: request.region ?? "us-east-1",
        service: request.service ?? "aws-marketplace"
      })
      const signature = Effect.runSync(
        sign({
          headers,
          body,
          credentials: {
            accessKeyId: request.accessKeyId ?? "sandbox",
            secretAccessKey: request.secretAccessKey ?? "sandbox",
            sessionToken: request.sessionToken
          },
          now: request.now ?? 0
        })
      )
      const response = await fetch(url, {
        method,
        signal,
        headers: {
          ...headers,
          ...(request.unsigned ? {} : signature),
          ...(request.altered?.authorization && {
            authorization: request.altered.authorization(signature.authorization)
          }),
          ...request.altered?.headers
        },
        ...(method === "GET" || method === "HEAD"
          ? {}
          : { body: (request.altered?.body ?? body) as BodyInit })
      })
      const text = await response.text()
      const json = text.startsWith("{") ? JSON.parse(text) : {}
      return {
        status: response.status,
        headers: response.headers,
        text,
        type: json.__type,
        message: json.message
      }
    })
  )

/** Tries until it holds. What is waited for is never time. */
export const eventually = <A, E, R>(
  effect: Effect.Effect<A, E, R>,
  until: (value: A) => boolean
): Effect.Effect<A, E, R> => Effect.repeat(Effect.tap(effect, yieldToEventLoop), { until })

/** Lets sockets get on. */
export const yieldToEventLoop = Effect.promise(
  () => new Promise<void>((resolve) => setImmediate(resolve))
)

export const coral = (code: string) => `com.amazon.coral.service#${code}`
export const modelled = (code: string) => `com.amazonaws.marketplacemetering#${code}`
