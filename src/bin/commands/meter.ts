/** `meter`: reports the usage of one dimension from the buyer's account. */
import * as Command from "@effect/cli/Command"
import * as Options from "@effect/cli/Options"
import * as Console from "effect/Console"
import * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as MeteringClient from "../../MeteringClient.js"
import * as MeterUsage from "../../MeterUsage.js"
import * as allocations from "../input/allocations.js"
import { callWithRetries } from "../internal/callWithRetries.js"
import { failed, toCliError } from "../internal/cliError.js"
import * as clientOptions from "../internal/clientOptions.js"
import {
  jsonOption,
  numberOption,
  parsedOption,
  productCodeOption,
  timeOption
} from "../internal/options.js"
import { formatFields, formatJson, formatTime } from "../output/format.js"

const productCode = productCodeOption.pipe(Options.withDescription("The product that was used."))

const dimension = Options.text("dimension").pipe(
  Options.withPseudoName("name"),
  Options.withDescription("The dimension of the product. Case matters.")
)

const quantity = numberOption("quantity", "a whole number from 0", Number.isInteger).pipe(
  Options.withDescription("The quantity, in whole units.")
)

const timestamp = timeOption("timestamp").pipe(
  Options.optional,
  Options.withDescription(
    "The time of the usage, such as 2026-11-25T10:00:00Z, at most 6 hours ago. AWS rounds it down to the hour. Defaults to now."
  )
)

const usageAllocations = parsedOption(
  "allocations",
  "json",
  allocations.expected,
  allocations.parse
).pipe(
  Options.optional,
  Options.withDescription(
    'The quantity split by tags, a JSON list of {"allocatedUsageQuantity": 1, "tags": [{"key": "team", "value": "search"}]}.'
  )
)

const clientToken = Options.text("client-token").pipe(
  Options.withPseudoName("token"),
  Options.optional,
  Options.withDescription(
    "The token of an earlier call, to send the same charge again. Defaults to a new token."
  )
)

const dryRun = Options.boolean("dry-run").pipe(
  Options.withDescription("Check the permission to meter. Nothing is metered.")
)

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
    json: jsonOption()
  },
  (options) =>
    Effect.gen(function* () {
      const timestamp = Option.getOrUndefined(options.timestamp) ?? (yield* DateTime.now)
      const request = yield* Effect.mapError(
        MeterUsage.makeEither({
          productCode: options.productCode,
          timestamp,
          usageDimension: options.dimension,
          usageQuantity: options.quantity,
          dryRun: options.dryRun,
          clientToken: Option.getOrUndefined(options.clientToken),
          // not validated yet: the request validates the allocations
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
          `The service gave this dry run a record: ${response.unexpectedRecordId}. It may have been metered.\n${retryAdvice(request)}`
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
    "Reports the usage of one dimension (MeterUsage), from inside the buyer's instance, task or pod. To report the usage of many customers, use submit."
  )
)

/** Returns the options with which another call sends the same charge. */
const retryAdvice = ({ clientToken, timestamp }: MeterUsage.MeterUsageRequest) =>
  `To send the same charge again: --timestamp ${DateTime.formatIso(timestamp)} --client-token ${clientToken}`
