/**
 * ResolveCustomer: identifies a buyer by the registration token that the buyer's browser posted.
 *
 * @since 0.1.0
 */
import type * as Either from "effect/Either"
import * as Schema from "effect/Schema"
import { metering } from "./internal/protocol/serviceModel.js"
import { type MakeOptions, maker, makerEither } from "./internal/schema/construct.js"
import { field, optionalField, RedactedString, rule } from "./internal/schema/fields.js"
import { isBlank, responseFields } from "./internal/schema/responseFields.js"
import * as MeteringError from "./MeteringError.js"
import type { Operation } from "./Operation.js"

/** Maximum length of a registration token, in characters. A limit of this package: AWS's tokens are far shorter. */
const maxTokenLength = 16_384

const expected = "Expected an object with a redacted registration token"
const messageWithoutValue = { message: () => expected }
/** The encoded form of a class is a nested struct, whose own message would quote the token. */
const nestedMessageWithoutValue = {
  message: () => ({ message: `${expected}, of 1 to ${maxTokenLength} characters`, override: true })
}

/**
 * The `registrationToken` that AWS Marketplace posted to the seller's page as `x-amzn-marketplace-token`, unchanged. 1 to
 * 16 384 characters. It is `Redacted`, because anyone with it can sign up as the buyer.
 *
 * @see https://docs.aws.amazon.com/marketplace/latest/APIReference/API_marketplace-metering_ResolveCustomer.html
 * @since 0.1.0
 * @category models
 */
export class ResolveCustomerRequest extends Schema.Class<ResolveCustomerRequest>(
  "effect-marketplace-metering/ResolveCustomerRequest"
)(
  {
    registrationToken: field(
      "RegistrationToken",
      RedactedString(
        Schema.String.pipe(
          rule(
            "registrationToken",
            `a registration token of at most ${maxTokenLength} characters`,
            (token) => token.length > 0 && token.length <= maxTokenLength
          )
        )
      )
    )
  },
  // if a token is passed in place of the object, Schema's own message would quote it
  [messageWithoutValue, messageWithoutValue, nestedMessageWithoutValue]
) {}

/**
 * The buyer: `customerAWSAccountId`, `productCode` and `licenseArn`. `customerIdentifier` is present only for products
 * listed before June 2026. Resolving a token again before it expires returns the same buyer.
 *
 * @see https://docs.aws.amazon.com/marketplace/latest/APIReference/API_marketplace-metering_ResolveCustomer.html
 * @since 0.1.0
 * @category models
 */
export class ResolveCustomerResponse extends Schema.Class<ResolveCustomerResponse>(
  "effect-marketplace-metering/ResolveCustomerResponse"
)(
  responseFields({
    customerIdentifier: optionalField("CustomerIdentifier", Schema.String),
    customerAWSAccountId: optionalField("CustomerAWSAccountId", Schema.String),
    productCode: optionalField("ProductCode", Schema.String),
    licenseArn: optionalField("LicenseArn", Schema.String)
  })
) {}

/**
 * The input of a call: a request or its fields.
 *
 * @since 0.1.0
 * @category models
 */
export type Input = ConstructorParameters<typeof ResolveCustomerRequest>[0]

/**
 * The modelled exceptions of this operation.
 *
 * @since 0.1.0
 * @category models
 */
export type ResolveCustomerException =
  | MeteringError.InvalidTokenException
  | MeteringError.ExpiredTokenException
  | MeteringError.ThrottlingException
  | MeteringError.InternalServiceErrorException
  | MeteringError.DisabledApiException

/**
 * All errors of a call.
 *
 * @since 0.1.0
 * @category models
 */
export type ResolveCustomerError = ResolveCustomerException | MeteringError.CommonError

/**
 * The operation as a value.
 *
 * @since 0.1.0
 * @category operations
 */
export const operation: Operation<
  ResolveCustomerRequest,
  ResolveCustomerResponse,
  ResolveCustomerException
> = {
  service: metering,
  name: "ResolveCustomer",
  request: ResolveCustomerRequest,
  response: ResolveCustomerResponse,
  exceptions: [
    MeteringError.InvalidTokenException,
    MeteringError.ExpiredTokenException,
    MeteringError.ThrottlingException,
    MeteringError.InternalServiceErrorException,
    MeteringError.DisabledApiException
  ],
  missing: ({ customerAWSAccountId, customerIdentifier }) =>
    isBlank(customerAWSAccountId) && isBlank(customerIdentifier)
      ? "CustomerAWSAccountId or CustomerIdentifier"
      : undefined
}

/**
 * Makes a request, or returns the rules that it breaks. The error does not contain the token.
 *
 * @example
 * ```ts
 * import { Either, Redacted } from "effect"
 * import { ResolveCustomer } from "effect-marketplace-metering"
 *
 * const isToken = (text: string) =>
 *   Either.isRight(ResolveCustomer.makeEither({ registrationToken: Redacted.make(text) }))
 * ```
 *
 * @since 0.1.0
 * @category constructors
 */
export const makeEither: (
  fields: Input,
  options?: MakeOptions
) => Either.Either<ResolveCustomerRequest, MeteringError.InvalidInputError> =
  makerEither(ResolveCustomerRequest)

/**
 * Makes a request. Throws `InvalidInputError` if it breaks a rule.
 *
 * @example
 * ```ts
 * import { Redacted } from "effect"
 * import { ResolveCustomer } from "effect-marketplace-metering"
 *
 * const requestOf = (form: FormData) =>
 *   ResolveCustomer.make({
 *     registrationToken: Redacted.make(String(form.get("x-amzn-marketplace-token")))
 *   })
 * ```
 *
 * @since 0.1.0
 * @category constructors
 */
export const make: (fields: Input, options?: MakeOptions) => ResolveCustomerRequest =
  maker(makeEither)
