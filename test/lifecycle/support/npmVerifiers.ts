/** The verifiers of npm, without a network: `https.get` returns a certificate. */
import { EventEmitter } from "node:events"
import https from "node:https"
import { createRequire } from "node:module"
import SnsPayloadValidator from "sns-payload-validator"
import { vi } from "vitest"

/** Has no types. */
const SnsValidator: new () => {
  readonly validate: (body: string, callback: (error: Error | null) => void) => void
} = createRequire(import.meta.url)("sns-validator")

interface Response {
  readonly status: number
  readonly body: string
}

/** Replaces `https.get` for both, and returns the URLs that are requested. */
export const stubHttps = (respond: (url: string) => Response): ReadonlyArray<string> => {
  const requested: Array<string> = []
  const get = (url: string, ...others: ReadonlyArray<unknown>) => {
    requested.push(url)
    const { body, status } = respond(url)
    const response = Object.assign(new EventEmitter(), { statusCode: status })
    const onResponse = others.at(-1) as (response: EventEmitter) => void
    queueMicrotask(() => {
      onResponse(response)
      response.emit("data", Buffer.from(body))
      response.emit("end")
    })
    return new EventEmitter()
  }
  vi.spyOn(https, "get").mockImplementation(get as unknown as typeof https.get)
  return requested
}

const accepts = (verification: Promise<unknown>): Promise<boolean> =>
  verification.then(
    () => true,
    () => false
  )

/** New verifiers. `sns-validator` has one cache of certificates for all. */
export const npmVerifiers = () => {
  const validator = new SnsValidator()
  const payloadValidator = new SnsPayloadValidator()
  return {
    "sns-validator": (body: string) =>
      accepts(
        new Promise((resolve, reject) =>
          validator.validate(body, (error) => (error ? reject(error) : resolve(undefined)))
        )
      ),
    "sns-payload-validator": (body: string) => accepts(payloadValidator.validate(body))
  }
}
