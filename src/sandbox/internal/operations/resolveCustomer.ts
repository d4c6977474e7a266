/** ResolveCustomer: whom a registration token is for. */
import * as HashMap from "effect/HashMap"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import type { ResolveCustomerRequest } from "../../../ResolveCustomer.js"
import { type Handler, reject, succeed } from "./handler.js"

export const resolveCustomer: Handler<ResolveCustomerRequest> = (state, request, { now }) => {
  const token = Option.getOrUndefined(
    HashMap.get(state.tokens, Redacted.value(request.registrationToken))
  )
  if (token === undefined) {
    return [
      state,
      reject({ code: "InvalidTokenException", message: "Registration token is invalid." })
    ]
  }
  const { mintedAt, ...members } = token
  return [
    state,
    now - mintedAt >= state.behavior.registrationTokenLifetime
      ? reject({
          code: "ExpiredTokenException",
          message: "The submitted registration token has expired."
        })
      : succeed(withoutUndefined(members))
  ]
}

/** What is undefined is absent. */
const withoutUndefined = (fields: object): object =>
  Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined))
