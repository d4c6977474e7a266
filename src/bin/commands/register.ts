/** `register`: whether the buyer of a paid container may run it. */
import * as Command from "@effect/cli/Command"
import * as Options from "@effect/cli/Options"
import * as Console from "effect/Console"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Entitlement from "../../Entitlement.js"
import * as MeteringClient from "../../MeteringClient.js"
import * as RegisterUsage from "../../RegisterUsage.js"
import { readText } from "../input/inputFile.js"
import { failed } from "../internal/cliError.js"
import * as clientOptions from "../internal/clientOptions.js"
import { numberOption } from "../internal/options.js"
import { callWithRetries, toCliError } from "../internal/toCliError.js"
import { formatFields, formatJson, formatTime } from "../output/format.js"

const productCode = Options.text("product-code").pipe(
  Options.withPseudoName("code"),
  Options.withDescription("The product to register the usage of.")
)

const publicKeyVersion = numberOption(
  "public-key-version",
  "a whole number from 1",
  (version) => Number.isInteger(version) && version >= 1
).pipe(
  Options.withDefault(1),
  Options.withDescription("The version of the product's public key, 1 unless given.")
)

const publicKey = Options.text("public-key").pipe(
  Options.withPseudoName("file"),
  Options.optional,
  Options.withDescription(
    "A file with the product's public key (PEM, from AWS Marketplace), to verify the answer by. Without it nothing is proved."
  )
)

const nonce = Options.text("nonce").pipe(
  Options.withPseudoName("text"),
  Options.optional,
  Options.withDescription(
    "A text of at most 255 characters that the answer must repeat; a random one unless given."
  )
)

const asJson = Options.boolean("json").pipe(
  Options.withDescription(
    "Print one JSON object. It holds the signed answer, which is not shown otherwise."
  )
)

export const register = Command.make(
  "register",
  { productCode, publicKeyVersion, publicKey, nonce, ...clientOptions.options, json: asJson },
  (options) =>
    Effect.gen(function* () {
      const publicKey = yield* Effect.transposeOption(Option.map(options.publicKey, readText))
      const request = RegisterUsage.makeEither({
        productCode: options.productCode,
        publicKeyVersion: options.publicKeyVersion,
        nonce: Option.getOrElse(options.nonce, () => globalThis.crypto.randomUUID())
      })
      const validRequest = yield* Effect.mapError(request, toCliError)
      const response = yield* callWithRetries(
        MeteringClient.registerUsage(validRequest),
        clientOptions.layer(options),
        {
          possibleEffect: "may have been registered",
          advice: "To register it again is safe."
        }
      )
      const entitlement = yield* Effect.transposeOption(
        Option.map(publicKey, (publicKey) =>
          Entitlement.verify(response.signature, { ...validRequest, publicKey })
        )
      ).pipe(Effect.mapError(({ message }) => failed(message)))
      const rotationTime = response.publicKeyRotationTimestamp
      yield* Console.log(
        options.json
          ? formatJson({
              ...response,
              verified: Option.isSome(entitlement),
              nonce: validRequest.nonce
            })
          : Option.match(entitlement, {
              onNone: () =>
                "The service answered: the usage is registered. Give --public-key to prove that it was the service.",
              onSome: (claims) =>
                formatFields([
                  ["verified", "the buyer may run this product"],
                  ["product code", claims.productCode],
                  ["key version", claims.publicKeyVersion],
                  ["nonce", claims.nonce],
                  ["issued at", formatTime(claims.issuedAt)]
                ])
            })
      )
      if (rotationTime !== undefined) {
        yield* Console.error(
          `Warning: version ${validRequest.publicKeyVersion} of the public key has expired at ${formatTime(rotationTime)}; release the product with the new one.`
        )
      }
    })
).pipe(
  Command.withDescription(
    "Asks whether the buyer of a paid container may run it (RegisterUsage), and verifies the answer. Only from within the buyer's task or pod; from then on AWS meters the container by the hour."
  )
)
