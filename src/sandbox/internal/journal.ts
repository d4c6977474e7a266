/** Changes of a state as text, a line each: what a sandbox remembers beyond its end. */
import * as Arr from "effect/Array"
import * as Either from "effect/Either"
import * as ParseResult from "effect/ParseResult"
import * as Schema from "effect/Schema"
import { OperationName } from "../../MeteringError.js"
import { UsageAllocation } from "../../UsageAllocation.js"
import { Chance, Step } from "../Fault.js"
import { Counts } from "../Report.js"
import { Customer } from "../Scenario.js"
import { apply, type Change, changesOf, type State } from "./state.js"

const optionalText = Schema.optional(Schema.String)

const ChangeSchema = Schema.Union(
  Schema.TaggedStruct("Metered", {
    key: Schema.String,
    usage: Schema.Struct({
      meteringRecordId: Schema.String,
      operation: OperationName,
      productCode: Schema.String,
      licenseArn: optionalText,
      customerAWSAccountId: Schema.String,
      dimension: Schema.String,
      hour: Schema.Number,
      timestamp: Schema.Number,
      quantity: Schema.Number,
      usageAllocations: Schema.optional(Schema.Array(UsageAllocation)),
      split: Schema.String
    })
  }),
  Schema.TaggedStruct("Receipt", {
    key: Schema.String,
    receipt: Schema.Struct({ request: Schema.String, meteringRecordId: Schema.String })
  }),
  Schema.TaggedStruct("Token", {
    key: Schema.String,
    token: Schema.Struct({
      mintedAt: Schema.Number,
      customerAWSAccountId: Schema.String,
      customerIdentifier: optionalText,
      productCode: Schema.String,
      licenseArn: optionalText
    })
  }),
  Schema.TaggedStruct("Registered", { key: Schema.String }),
  Schema.TaggedStruct("Customer", { customer: Customer }),
  Schema.TaggedStruct("Calendar", { offset: Schema.Number }),
  Schema.TaggedStruct("PrivateKey", { pem: Schema.String }),
  Schema.TaggedStruct("Faults", {
    faults: Schema.Struct({
      script: Schema.Array(Step),
      chances: Schema.Array(Chance),
      random: Schema.mutable(
        Schema.Tuple(Schema.Number, Schema.Number, Schema.Number, Schema.Number)
      )
    })
  }),
  Schema.TaggedStruct("Counts", { arrivals: Schema.Number, calls: Counts }),
  Schema.TaggedStruct("Reset", {})
)

const encode = Schema.encodeSync(Schema.parseJson(ChangeSchema))
const decode = Schema.decodeEither(Schema.parseJson(ChangeSchema), { errors: "first" })

/** What a file of changes begins with, so that it is taken for nothing else. */
const title = JSON.stringify({ "effect-marketplace-metering sandbox": 1 })

export const linesOf = (changes: ReadonlyArray<Change>): string =>
  changes.map((change) => `${encode(change)}\n`).join("")

/** A state, whole, as text. */
export const save = (state: State): string => `${title}\n${linesOf(changesOf(state))}`

/**
 * The state that text tells of, or what is wrong with the text. A last line that does not end was being written when
 * its writer ended: nobody has had an answer to it.
 */
export const load = (state: State, text: string): Either.Either<State, string> => {
  const [first, ...lines] = text.split("\n").slice(0, -1)
  if (first !== title) return Either.left("line 1: this is not a sandbox's state")
  return Arr.reduce(
    lines,
    Either.right(apply(state, { _tag: "Reset" })) as Either.Either<State, string>,
    (loaded, line, index) =>
      Either.flatMap(loaded, (state) =>
        Either.mapBoth(decode(line), {
          onLeft: (error) =>
            `line ${index + 2}: ${ParseResult.ArrayFormatter.formatErrorSync(error)[0]?.message}`,
          onRight: (change) => apply(state, change)
        })
      )
  )
}
