/** Options that select entries of a ledger. */
import * as Options from "@effect/cli/Options"
import type * as DateTime from "effect/DateTime"
import * as Option from "effect/Option"
import type { UsageLedger } from "../../ledger/index.js"
import { timeOption } from "./options.js"

const product = Options.text("product").pipe(
  Options.withPseudoName("name"),
  Options.optional,
  Options.withDescription("Only entries of this product.")
)

const subscription = Options.text("subscription").pipe(
  Options.withPseudoName("id"),
  Options.optional,
  Options.withDescription("Only entries of this subscription, and of those that it follows.")
)

const from = timeOption("from").pipe(
  Options.optional,
  Options.withDescription("Only hours from this time on.")
)

const until = timeOption("until").pipe(
  Options.optional,
  Options.withDescription("Only hours before this time.")
)

export const options = { product, subscription, from, until }

export const filterOf = (given: {
  readonly product: Option.Option<string>
  readonly subscription: Option.Option<string>
  readonly from: Option.Option<DateTime.Utc>
  readonly until: Option.Option<DateTime.Utc>
}): UsageLedger.EntryFilter => ({
  product: Option.getOrUndefined(given.product),
  subscription: Option.getOrUndefined(given.subscription),
  from: Option.getOrUndefined(given.from),
  until: Option.getOrUndefined(given.until)
})
