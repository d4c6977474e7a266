/** ResolveCustomer: whom a registration token is for. */
import * as HashMap from "effect/HashMap"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import type { ResolveCustomerRequest } from "../../ResolveCustomer.js"
import { grant, type Handler, refuse } from "./handler.js"

export const resolveCustomer: Handler<ResolveCustomerRequest> = (state, request, { now }) => {
  const token = Option.getOrUndefined(
    HashMap.get(state.tokens, Redacted.value(request.registrationToken))
  )
  if (token === undefined) {
    return [
      state,
      refuse({ code: "InvalidTokenException", message: "Registration token is invalid." })
    ]
  }
  const { mintedAt, ...members } = token
  return [
    state,
    now - mintedAt >= state.rules.registrationTokenLifetime
      ? refuse({
          code: "ExpiredTokenException",
          message: "The submitted registration token has expired."
        })
      : grant(present(members))
  ]
}

/** What is undefined is absent. */
const present = (members: object): object =>
  Object.fromEntries(Object.entries(members).filter(([, value]) => value !== undefined))
