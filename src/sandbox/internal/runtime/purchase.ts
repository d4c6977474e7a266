/** The buyer's journey: a purchase, and the form that is posted to the seller's page. */
import * as DateTime from "effect/DateTime"
import * as Either from "effect/Either"
import { map as mapRecord } from "effect/Record"
import * as Redacted from "effect/Redacted"
import type * as Marketplace from "../../Marketplace.js"
import type { Product } from "../../Scenario.js"
import { agreementIdOf } from "../model/agreement.js"
import { findProduct } from "../model/catalog.js"
import { productIdOf } from "../model/product.js"
import type { State } from "../model/state.js"
import { detailsIn } from "./agreementOperations.js"
import {
  addAgreement,
  addCustomer,
  mintToken,
  type UpdateResult,
  unknownProductMessage
} from "./marketplace.js"

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
    const product = findProduct(state.catalog, terms.productCode)
    if (product === undefined) return yield* Either.left(unknownProductMessage(terms.productCode))
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
    const [token, next] = yield* mintToken(subscribed, { customerAWSAccountId, agreementId }, now)
    return [
      {
        agreement: detailsIn(next, located, now),
        ...(landingUrl !== undefined && { landingUrl }),
        fields: mapRecord(
          formOf(state, { agreementId, freeTrial: terms.freeTrial, landingUrl, product, token }),
          (value) => Redacted.make(value)
        )
      },
      next
    ] as const
  })

/** Documented are the token and the type of a free trial. The others were seen. */
const formOf = (
  { behavior }: State,
  {
    agreementId,
    freeTrial,
    landingUrl,
    product,
    token
  }: {
    readonly agreementId: string
    readonly freeTrial: boolean | undefined
    readonly landingUrl: string | undefined
    readonly product: Product
    readonly token: string
  }
): Readonly<Record<string, string>> => ({
  "x-amzn-marketplace-token": token,
  ...(freeTrial === true && { "x-amzn-marketplace-offer-type": "free-trial" }),
  ...(behavior.landingFields === "observed" && {
    "x-amzn-marketplace-agreement-id": agreementId,
    "x-amzn-marketplace-product-id": productIdOf(product),
    ...(landingUrl !== undefined && { "x-amzn-marketplace-fulfillment-url": landingUrl })
  })
})
