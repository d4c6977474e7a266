/** `meter`: one dimension's usage, from inside the buyer's account. */
import * as Command from "@effect/cli/Command"
import * as HelpDoc from "@effect/cli/HelpDoc"
import * as Options from "@effect/cli/Options"
import * as ValidationError from "@effect/cli/ValidationError"
import * as Console from "effect/Console"
import * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Option from "effect/Option"
import * as MeteringClient from "../../MeteringClient.js"
import * as MeterUsage from "../../MeterUsage.js"
import * as allocations from "../input/allocations.js"
import { failed } from "../internal/cliError.js"
import * as clientOptions from "../internal/clientOptions.js"
import { numberOption, timeOption } from "../internal/options.js"
import { callWithRetries, toCliError } from "../internal/toCliError.js"
import { formatFields, formatJson, formatTime } from "../output/format.js"

const productCode = Options.text("product-code").pipe(
  Options.withPseudoName("code"),
  Options.withDescription("The product that was used.")
)

const dimension = Options.text("dimension").pipe(
  Options.withPseudoName("name"),
  Options.withDescription("What was used of it; case counts.")
)

const quantity = numberOption("quantity", "a whole number from 0", (units) =>
  Number.isInteger(units)
).pipe(Options.withDescription("How much of it, in whole units."))

const timestamp = timeOption("timestamp").pipe(
  Options.optional,
  Options.withDescription(
    "When it was used, such as 2026-11-25T10:00:00Z, at most 6 hours ago; now unless given. AWS rounds it down to the hour."
  )
)

const usageAllocations = Options.text("allocations").pipe(
  Options.withPseudoName("json"),
  Options.mapEffect((text) =>
    Either.mapLeft(allocations.parse(text), (expected) =>
      ValidationError.invalidValue(HelpDoc.p(`--allocations: expected ${expected}`))
    )
  ),
  Options.optional,
  Options.withDescription(
    'The quantity split by tags, a JSON list of {"allocatedUsageQuantity": 1, "tags": [{"key": "team", "value": "search"}]}.'
  )
)

const clientToken = Options.text("client-token").pipe(
  Options.withPseudoName("token"),
  Options.optional,
  Options.withDescription(
    "The token of an earlier call, to send the same charge again; a new one unless given."
  )
)

const dryRun = Options.boolean("dry-run").pipe(
  Options.withDescription("Ask only whether this may be metered; nothing is.")
)

const asJson = Options.boolean("json").pipe(Options.withDescription("Print one JSON object."))

export const meter = Command.make(
  "meter",
  {
    productCode,
    dimension,
    quantity,
    timestamp,
    allocations: usageAllocations,
    clientToken,
    dryRun,
    ...clientOptions.options,
    json: asJson
  },
  (options) =>
    Effect.gen(function* () {
      const timestamp = yield* Option.match(options.timestamp, {
        onNone: () => DateTime.now,
        onSome: Effect.succeed
      })
      const request = yield* Effect.mapError(
        MeterUsage.makeEither({
          productCode: options.productCode,
          timestamp,
          usageDimension: options.dimension,
          usageQuantity: options.quantity,
          dryRun: options.dryRun,
          clientToken: Option.getOrUndefined(options.clientToken),
          // not known to be allocations yet: that is what is checked here
          usageAllocations: Option.getOrUndefined(options.allocations) as never
        }),
        toCliError
      )
      const response = yield* callWithRetries(
        Effect.if(request.dryRun, {
          onTrue: () => MeteringClient.meterUsageDryRun(request),
          onFalse: () => MeteringClient.meterUsage(request)
        }),
        clientOptions.layer(options),
        request.dryRun
          ? undefined
          : { possibleEffect: "may have been metered", advice: retryAdvice(request) }
      )
      if (MeterUsage.isDryRun(response) && response.unexpectedRecordId !== undefined) {
        return yield* failed(
          `This was a dry run, and the service gave it a record all the same: ${response.unexpectedRecordId}. It may have been metered.\n${retryAdvice(request)}`
        )
      }
      yield* Console.log(
        options.json
          ? formatJson({ ...response, timestamp, clientToken: request.clientToken })
          : MeterUsage.isDryRun(response)
            ? "This may be metered. It was a dry run: nothing was."
            : formatFields([
                ["metered", `${request.usageQuantity} ${request.usageDimension}`],
                ["record id", response.meteringRecordId],
                ["timestamp", formatTime(timestamp)]
              ])
      )
    })
).pipe(
  Command.withDescription(
    "Reports the usage of one dimension (MeterUsage), from inside the buyer's instance, task or pod. For the usage of many customers there is submit."
  )
)

/** The options that make another call the same charge. */
const retryAdvice = ({ clientToken, timestamp }: MeterUsage.MeterUsageRequest) =>
  `To send the same charge again: --timestamp ${DateTime.formatIso(timestamp)} --client-token ${clientToken}`
