/** `ledger subscribe`: adds a customer's subscription. */
import * as Args from "@effect/cli/Args"
import * as Command from "@effect/cli/Command"
import * as Options from "@effect/cli/Options"
import * as Console from "effect/Console"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import { UsageLedger } from "../../../ledger/index.js"
import * as ledgerDatabase from "../../internal/ledgerDatabase.js"
import { timeOption } from "../../internal/options.js"

const id = Args.text({ name: "subscription" }).pipe(
  Args.withDescription("An id of your choice, such as that of the agreement.")
)

const product = Options.text("product").pipe(
  Options.withPseudoName("name"),
  Options.withDescription("A product of the ledger.")
)

const account = Options.text("customer-aws-account-id").pipe(
  Options.withPseudoName("account"),
  Options.optional,
  Options.withDescription("The customer's AWS account, from ResolveCustomer.")
)

const customer = Options.text("customer-identifier").pipe(
  Options.withPseudoName("id"),
  Options.optional,
  Options.withDescription("The customer's identifier, in place of the account in older listings.")
)

const license = Options.text("license-arn").pipe(
  Options.withPseudoName("arn"),
  Options.optional,
  Options.withDescription("The license, for listings from June 2026 on.")
)

const from = timeOption("from").pipe(
  Options.optional,
  Options.withDescription("The start, such as 2026-11-25T10:00:00Z. Defaults to now.")
)

const until = timeOption("until").pipe(
  Options.optional,
  Options.withDescription("The planned end. Defaults to none.")
)

const follows = Options.text("follows").pipe(
  Options.withPseudoName("subscription"),
  Options.optional,
  Options.withDescription("The subscription that this one renews: usage and fractions go on.")
)

export const subscribe = Command.make(
  "subscribe",
  { id, ...ledgerDatabase.options, product, account, customer, license, from, until, follows },
  (options) =>
    UsageLedger.subscribe({
      id: options.id,
      product: options.product,
      customerAWSAccountId: Option.getOrUndefined(options.account),
      customerIdentifier: Option.getOrUndefined(options.customer),
      licenseArn: Option.getOrUndefined(options.license),
      from: Option.getOrUndefined(options.from),
      until: Option.getOrUndefined(options.until),
      follows: Option.getOrUndefined(options.follows)
    }).pipe(
      Effect.mapError(ledgerDatabase.toChangeError),
      Effect.zipRight(Console.log(`${options.id} is subscribed to ${options.product}.`)),
      Effect.provide(ledgerDatabase.ledger(options))
    )
).pipe(
  Command.withDescription(
    "Adds a customer's subscription to a product. The same again changes nothing."
  )
)
