/** `register`: whether the buyer of a paid container may run it. */
import * as Command from "@effect/cli/Command"
import * as Options from "@effect/cli/Options"
import * as Console from "effect/Console"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as MeteringClient from "../MeteringClient.js"
import * as RegisterUsage from "../RegisterUsage.js"
import * as connection from "./internal/connection.js"
import { refused } from "./internal/failure.js"
import { textOf } from "./internal/input.js"
import { number } from "./internal/options.js"
import { callWithRetries, failureOf } from "./internal/refusal.js"
import { fields, json, timeOf } from "./internal/show.js"

const productCode = Options.text("product-code").pipe(
  Options.withPseudoName("code"),
  Options.withDescription("The product to register the usage of.")
)

const publicKeyVersion = number(
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
  { productCode, publicKeyVersion, publicKey, nonce, ...connection.options, json: asJson },
  (options) =>
    Effect.gen(function* () {
      const publicKey = yield* Effect.transposeOption(Option.map(options.publicKey, textOf))
      const request = RegisterUsage.makeEither({
        productCode: options.productCode,
        publicKeyVersion: options.publicKeyVersion,
        nonce: Option.getOrElse(options.nonce, () => globalThis.crypto.randomUUID())
      })
      const made = yield* Effect.mapError(request, failureOf)
      const answer = yield* callWithRetries(
        MeteringClient.registerUsage(made),
        connection.layer(options),
        {
          perhaps: "may have been registered",
          advice: "To register it again is safe."
        }
      )
      const entitlement = yield* Effect.transposeOption(
        Option.map(publicKey, (publicKey) =>
          RegisterUsage.verify(answer.signature, { ...made, publicKey })
        )
      ).pipe(Effect.mapError(({ message }) => refused(message)))
      const rotated = answer.publicKeyRotationTimestamp
      yield* Console.log(
        options.json
          ? json({ ...answer, verified: Option.isSome(entitlement), nonce: made.nonce })
          : Option.match(entitlement, {
              onNone: () =>
                "The service answered: the usage is registered. Give --public-key to prove that it was the service.",
              onSome: (claims) =>
                fields([
                  ["verified", "the buyer may run this product"],
                  ["product code", claims.productCode],
                  ["key version", claims.publicKeyVersion],
                  ["nonce", claims.nonce],
                  ["issued at", timeOf(claims.issuedAt)]
                ])
            })
      )
      if (rotated !== undefined) {
        yield* Console.error(
          `Warning: version ${made.publicKeyVersion} of the public key has expired at ${timeOf(rotated)}; release the product with the new one.`
        )
      }
    })
).pipe(
  Command.withDescription(
    "Asks whether the buyer of a paid container may run it (RegisterUsage), and verifies the answer. Only from within the buyer's task or pod; from then on AWS meters the container by the hour."
  )
)
