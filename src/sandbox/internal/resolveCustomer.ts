/** ResolveCustomer, and the registration tokens that it resolves. */
import * as Either from "effect/Either"
import * as HashMap from "effect/HashMap"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import { sha256Hex } from "#sha256"
import type { ResolveCustomerRequest } from "../../ResolveCustomer.js"
import { keyOf } from "./metered.js"
import { grant, type Handler, refuse, type State } from "./state.js"
import { agreementOf, customerOf } from "./world.js"

export const resolveCustomer: Handler<ResolveCustomerRequest> = (state, request, now) => {
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
    now - mintedAt >= state.rules.tokenLifetime
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

/** Whom a token is for: a customer, by either identity, and one of the products that it has agreed to. */
export interface Subscriber {
  readonly customerAWSAccountId?: string | undefined
  readonly customerIdentifier?: string | undefined
  readonly productCode?: string | undefined
}

/** A token as the marketplace would hand it to a buyer, or why this buyer would have none. */
export const mint = (
  state: State,
  subscriber: Subscriber,
  now: number
): readonly [Either.Either<string, string>, State] => {
  const { productCode } = subscriber
  const customer = customerOf(state.world, subscriber)
  const agreement =
    productCode === undefined ? customer?.agreements[0] : agreementOf(customer, productCode)
  if (customer === undefined || agreement === undefined) {
    const who = subscriber.customerAWSAccountId ?? subscriber.customerIdentifier
    return [
      Either.left(
        customer === undefined
          ? `There is no customer ${who ?? "at all"} in the sandbox.`
          : `Customer ${who} has no agreement for ${productCode ?? "any product"}.`
      ),
      state
    ]
  }
  const { customerAWSAccountId, customerIdentifier } = customer
  const count = HashMap.size(state.tokens)
  const token = `sandbox-${sha256Hex(keyOf(count, customerAWSAccountId, agreement.productCode))}`
  return [
    Either.right(token),
    {
      ...state,
      tokens: HashMap.set(state.tokens, token, {
        mintedAt: now,
        customerAWSAccountId,
        customerIdentifier,
        productCode: agreement.productCode,
        licenseArn: agreement.licenseArn
      })
    }
  ]
}
