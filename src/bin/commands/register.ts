/** `register`: checks that the buyer of a paid container may run it. */
import * as Command from "@effect/cli/Command"
import * as Options from "@effect/cli/Options"
import * as Console from "effect/Console"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Entitlement from "../../Entitlement.js"
import * as MeteringClient from "../../MeteringClient.js"
import * as RegisterUsage from "../../RegisterUsage.js"
import { readText } from "../input/readInput.js"
import { callWithRetries } from "../internal/callWithRetries.js"
import { failed, toCliError } from "../internal/cliError.js"
import * as clientOptions from "../internal/clientOptions.js"
import { jsonOption, numberOption, productCodeOption } from "../internal/options.js"
import { formatFields, formatJson, formatTime } from "../output/format.js"

const productCode = productCodeOption.pipe(Options.withDescription("The product to register."))

const publicKeyVersion = numberOption(
  "public-key-version",
  "a whole number from 1",
  (version) => Number.isInteger(version) && version >= 1
).pipe(
  Options.withDefault(1),
  Options.withDescription("The version of the product's public key. Defaults to 1.")
)

const publicKey = Options.text("public-key").pipe(
  Options.withPseudoName("file"),
  Options.optional,
  Options.withDescription(
    "A file with the product's public key (PEM, from AWS Marketplace), to verify the response. Without it nothing is verified."
  )
)

const nonce = Options.text("nonce").pipe(
  Options.withPseudoName("text"),
  Options.optional,
  Options.withDescription(
    "A text of at most 255 characters that the signed response must repeat. Defaults to a random one."
  )
)

const json = jsonOption("Print one JSON object, which includes the signed response.")

export const register = Command.make(
  "register",
  { productCode, publicKeyVersion, publicKey, nonce, ...clientOptions.options, json },
  (options) =>
    Effect.gen(function* () {
      const publicKey = yield* Effect.transposeOption(Option.map(options.publicKey, readText))
      const request = yield* Effect.mapError(
        RegisterUsage.makeEither({
          productCode: options.productCode,
          publicKeyVersion: options.publicKeyVersion,
          nonce: Option.getOrElse(options.nonce, () => globalThis.crypto.randomUUID())
        }),
        toCliError
      )
      const response = yield* callWithRetries(
        MeteringClient.registerUsage(request),
        clientOptions.layer(options),
        { possibleEffect: "may have been registered", advice: "To register it again is safe." }
      )
      const entitlement = yield* Effect.transposeOption(
        Option.map(publicKey, (publicKey) =>
          Entitlement.verify(response.signature, { ...request, publicKey })
        )
      ).pipe(Effect.mapError(({ message }) => failed(message)))
      yield* Console.log(
        options.json
          ? formatJson({
              ...response,
              verified: Option.isSome(entitlement),
              nonce: request.nonce
            })
          : Option.match(entitlement, {
              onNone: () =>
                "The usage is registered, but the response was not verified. Give --public-key to verify it.",
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
      const rotationTime = response.publicKeyRotationTimestamp
      if (rotationTime !== undefined) {
        yield* Console.error(
          `Warning: version ${request.publicKeyVersion} of the public key has expired at ${formatTime(rotationTime)}. Release the product with the new version.`
        )
      }
    })
).pipe(
  Command.withDescription(
    "Checks that the buyer of a paid container may run it (RegisterUsage), and verifies the response. It works only within the buyer's task or pod. From then on AWS meters the container by the hour."
  )
)
