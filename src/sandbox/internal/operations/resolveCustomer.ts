/** ResolveCustomer: resolves a registration token to a customer. */
import * as HashMap from "effect/HashMap"
import * as HashSet from "effect/HashSet"
import * as Option from "effect/Option"
import { isNotUndefined } from "effect/Predicate"
import * as Record from "effect/Record"
import * as Redacted from "effect/Redacted"
import type { ResolveCustomerRequest } from "../../../ResolveCustomer.js"
import { land } from "../model/runDueSteps.js"
import type { State } from "../model/state.js"
import { type Handler, reject, succeed } from "./handler.js"

export const resolveCustomer: Handler<ResolveCustomerRequest> = (state, request, { now }) => {
  const token = HashMap.get(state.tokens, Redacted.value(request.registrationToken))
  if (Option.isNone(token)) return [state, reject(invalidToken)]
  const { agreementId, mintedAt, ...fields } = token.value
  return now - mintedAt >= state.behavior.registrationTokenLifetime
    ? [state, reject(expiredToken)]
    : [
        withLanding(state, agreementId),
        succeed(Record.filter<string, unknown>(fields, isNotUndefined))
      ]
}

const withLanding = (state: State, agreementId: string | undefined): State =>
  agreementId === undefined || HashSet.has(state.landed, agreementId)
    ? state
    : land(state, agreementId)

const invalidToken = {
  code: "InvalidTokenException",
  message: "Registration token is invalid."
}

const expiredToken = {
  code: "ExpiredTokenException",
  message: "The submitted registration token has expired."
}
