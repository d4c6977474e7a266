/** Purchases, and the form that AWS Marketplace posts to the seller's page. */
import * as DateTime from "effect/DateTime"
import * as Either from "effect/Either"
import { map as mapRecord } from "effect/Record"
import * as Redacted from "effect/Redacted"
import type * as Marketplace from "../../Marketplace.js"
import type { Product } from "../../Scenario.js"
import { agreementIdOf } from "../model/agreement.js"
import { productIdOf } from "../model/product.js"
import type { State } from "../model/state.js"
import { detailsIn } from "./agreementOperations.js"
import {
  addAgreement,
  addCustomer,
  type MintedToken,
  mintToken,
  type UpdateResult
} from "./marketplace.js"
import { findByCode } from "./selection.js"

export const buy = (
  state: State,
  purchase: Marketplace.Purchase,
  now: number
): UpdateResult<Marketplace.Landing> =>
  Either.gen(function* () {
    const {
      customerAWSAccountId,
      customerIdentifier,
      landingUrl: givenUrl,
      paymentFails,
      ...terms
    } = purchase
    const product = yield* findByCode(state, terms.productCode)
    const landingUrl = givenUrl ?? product.landingUrl
    const [customer, known] = yield* addCustomer(
      state,
      { customerAWSAccountId, customerIdentifier },
      now
    )
    const acceptedAt = DateTime.unsafeMake(now)
    const [located, subscribed] = yield* addAgreement(
      known,
      customer,
      { ...terms, acceptedAt, ...(paymentFails === true && { failedAt: acceptedAt }) },
      now
    )
    const agreementId = agreementIdOf(located)
    const [minted, next] = yield* mintToken(subscribed, { customerAWSAccountId, agreementId }, now)
    return [landingOf(next, minted, product, landingUrl, now), next] as const
  })

export const setUpAccount = (
  state: State,
  selector: Marketplace.AgreementSelector,
  now: number
): UpdateResult<Marketplace.Landing> =>
  Either.gen(function* () {
    const [minted, next] = yield* mintToken(state, selector, now)
    const product = yield* findByCode(state, minted.located.agreement.productCode)
    return [landingOf(next, minted, product, product.landingUrl, now), next] as const
  })

const landingOf = (
  state: State,
  { located, token }: MintedToken,
  product: Product,
  landingUrl: string | undefined,
  now: number
): Marketplace.Landing => ({
  agreement: detailsIn(state, located, now),
  ...(landingUrl !== undefined && { landingUrl }),
  fields: mapRecord(formOf(state, { located, landingUrl, product, token }), (value) =>
    Redacted.make(value)
  )
})

/** Returns the fields of the form. AWS documents only the token and the offer type of a free trial. The others were observed. */
const formOf = (
  { behavior }: State,
  {
    landingUrl,
    located,
    product,
    token
  }: MintedToken & {
    readonly landingUrl: string | undefined
    readonly product: Product
  }
): Readonly<Record<string, string>> => ({
  "x-amzn-marketplace-token": token,
  ...(located.agreement.freeTrial === true && { "x-amzn-marketplace-offer-type": "free-trial" }),
  ...(behavior.landingFields === "observed" && {
    "x-amzn-marketplace-agreement-id": agreementIdOf(located),
    "x-amzn-marketplace-product-id": productIdOf(product),
    ...(landingUrl !== undefined && { "x-amzn-marketplace-fulfillment-url": landingUrl })
  })
})
