/** `ledger init`: creates a ledger for a seller, or adds products to it. */
import * as Command from "@effect/cli/Command"
import * as Options from "@effect/cli/Options"
import * as Console from "effect/Console"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Layer from "effect/Layer"
import * as ParseResult from "effect/ParseResult"
import * as Schema from "effect/Schema"
import { UsageLedger } from "../../../ledger/index.js"
import * as json from "../../input/json.js"
import { displayName, readText } from "../../input/readInput.js"
import { cannotRun } from "../../internal/cliError.js"
import * as ledgerDatabase from "../../internal/ledgerDatabase.js"
import { bulletList } from "../../output/format.js"

const seller = Options.text("seller").pipe(
  Options.withPseudoName("name"),
  Options.withDescription("A name of the seller, such as the AWS account. It never changes.")
)

const target = Options.choice("target", ["service", "sandbox"]).pipe(
  Options.withDescription("The receiver of the usage: AWS, or a sandbox. It never changes.")
)

const products = Options.text("products").pipe(
  Options.withPseudoName("file"),
  Options.withDescription(
    'A JSON file of products by name, or - for standard input: { "analytics": { "region": "us-east-1", "productCode": "...", "dimensions": { "api-calls": {}, "gb-hours": { "scale": 3 } } } }. Of a dimension: scale (decimal places, 0 to 9) and zeroFill; of a product: late ("reject" or "carry") and tagKeys.'
  )
)

const Products = Schema.Record({
  key: Schema.String,
  value: Schema.Struct({
    region: Schema.String,
    productCode: Schema.optional(Schema.String),
    dimensions: Schema.Record({
      key: Schema.String,
      value: Schema.Struct({
        scale: Schema.optional(Schema.Number),
        zeroFill: Schema.optional(Schema.Boolean)
      })
    }),
    late: Schema.optional(Schema.Literal("reject", "carry")),
    tagKeys: Schema.optional(Schema.Array(Schema.String))
  })
})

const decode = Schema.decodeUnknownEither(Schema.parseJson(Products), {
  errors: "all",
  onExcessProperty: "error"
})

const readProducts = (file: string) =>
  Effect.gen(function* () {
    const name = displayName(file)
    const text = yield* readText(file)
    const problem = json.findUnsafeJson(text)
    if (problem !== undefined) return yield* cannotRun(`${name}: ${problem}.`)
    return yield* Either.mapLeft(decode(text), (error) =>
      cannotRun(
        bulletList(
          `${name} is not a list of products:`,
          ParseResult.ArrayFormatter.formatErrorSync(error).map(({ message, path }) =>
            path.length === 0 ? message : `${path.join(".")}: ${message}`
          )
        )
      )
    )
  })

export const init = Command.make(
  "init",
  { ...ledgerDatabase.options, seller, target, products },
  (options) =>
    Effect.gen(function* () {
      const products = yield* readProducts(options.products)
      const ledger = UsageLedger.layer({
        seller: options.seller,
        target: options.target,
        products
      }).pipe(Layer.mapError(ledgerDatabase.toLedgerError))
      yield* Layer.build(Layer.provide(ledger, ledgerDatabase.newStore(options)))
      yield* Console.log(
        `The ledger of ${options.seller} for the ${options.target} has ${Object.keys(products).join(", ")}.`
      )
    }).pipe(Effect.scoped)
).pipe(
  Command.withDescription(
    "Makes a ledger, or adds products to it. To run it again is safe. A Region, a product code and a scale never change."
  )
)
