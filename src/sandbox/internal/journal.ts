/** Changes of a state as text, a line for all that one step brought: what a sandbox remembers beyond its end. */
import * as Arr from "effect/Array"
import * as Either from "effect/Either"
import * as Schema from "effect/Schema"
import { OperationName } from "../../MeteringError.js"
import { UsageAllocation } from "../../UsageAllocation.js"
import { Chance, Step } from "../Fault.js"
import { Counts } from "../Report.js"
import { Customer } from "../Scenario.js"
import { isPrivateKey } from "./keys.js"
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
  Schema.TaggedStruct("PrivateKey", { pem: Schema.String.pipe(Schema.filter(isPrivateKey)) }),
  Schema.TaggedStruct("Faults", {
    faults: Schema.Struct({
      script: Schema.Array(Step),
      chances: Schema.Array(Chance),
      random: Schema.mutable(
        Schema.Tuple(Schema.Number, Schema.Number, Schema.Number, Schema.Number)
      )
    })
  }),
  Schema.TaggedStruct("Bucket", {
    operation: OperationName,
    bucket: Schema.Struct({ left: Schema.Number, at: Schema.Number })
  }),
  Schema.TaggedStruct("Counts", { arrivals: Schema.Number, calls: Counts }),
  Schema.TaggedStruct("Reset", {})
)

/** What is in a line is in the state whole or, where its writer ended with it, not at all. */
const Line = Schema.parseJson(Schema.Array(ChangeSchema))
const encode = Schema.encodeSync(Line)
const decode = Schema.decodeEither(Line, { errors: "first" })

/** What a file of changes begins with, so that it is taken for nothing else. */
const title = JSON.stringify({ "effect-marketplace-metering sandbox": 1 })

export const lineOf = (changes: ReadonlyArray<Change>): string => `${encode(changes)}\n`

/** A state, whole, as text. */
export const save = (state: State): string => `${title}\n${lineOf(changesOf(state))}`

/** The state that saved text tells of, or what is wrong with the text. */
export const load = (state: State, text: string): Either.Either<State, string> =>
  !text.startsWith(title)
    ? Either.left(notOurs)
    : /\n.*\n$/.test(text)
      ? resume(state, text)
      : Either.left("it ends too early")

/**
 * The state that a file tells of, which has come to its end at any byte. A last line that does not end was being
 * written when its writer ended: nobody has had an answer to it.
 */
export const resume = (state: State, text: string): Either.Either<State, string> => {
  const lines = text.split("\n")
  const unfinished = lines.pop() ?? ""
  const [first = title, ...steps] = lines
  if (first !== title || (lines.length === 0 && !title.startsWith(unfinished))) {
    return Either.left(notOurs)
  }
  return Arr.reduce(
    steps,
    Either.right(apply(state, { _tag: "Reset" })) as Either.Either<State, string>,
    (loaded, line, index) =>
      Either.flatMap(loaded, (state) =>
        Either.mapBoth(decode(line), {
          onLeft: () => `line ${index + 2}: this is not a change of a sandbox's state`,
          onRight: (changes) => changes.reduce(apply, state)
        })
      )
  )
}

const notOurs = "line 1: this is not a sandbox's state"
