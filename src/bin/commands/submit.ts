/** `submit`: reports a file of usage of any length, with an outcome for each record. */
import * as Args from "@effect/cli/Args"
import * as Command from "@effect/cli/Command"
import * as Options from "@effect/cli/Options"
import * as Console from "effect/Console"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import { identity } from "effect/Function"
import * as Option from "effect/Option"
import * as Ref from "effect/Ref"
import * as Schedule from "effect/Schedule"
import * as Stream from "effect/Stream"
import { MeteringClient } from "../../MeteringClient.js"
import * as MeteringRetry from "../../MeteringRetry.js"
import * as UsageSubmission from "../../UsageSubmission.js"
import * as parseRows from "../input/parseRows.js"
import {
  displayName,
  fileSize,
  isStandardInput,
  pathOrDescriptor,
  readBytes
} from "../input/readInput.js"
import { usageRowSchema } from "../input/usageRows.js"
import { CliError, cannotRun, interrupted, toCliError } from "../internal/cliError.js"
import * as clientOptions from "../internal/clientOptions.js"
import * as dryRunCheck from "../internal/dryRunCheck.js"
import * as dryRunClient from "../internal/dryRunClient.js"
import {
  jsonOption,
  numberOption,
  productCodeOption,
  validatedOption
} from "../internal/options.js"
import * as outage from "../internal/outage.js"
import * as repeatedRows from "../internal/repeatedRows.js"
import { redirectedOutput } from "../internal/sameFile.js"
import { Signals } from "../internal/signals.js"
import { submitRows } from "../internal/submitRows.js"
import { formatCount, printableLines } from "../output/format.js"
import * as progressBar from "../output/progressBar.js"
import * as rejectedFile from "../output/rejectedFile.js"
import * as reporter from "../output/reporter.js"
import { table } from "../output/table.js"
import * as terminal from "../output/terminal.js"

const file = Args.text({ name: "file" }).pipe(
  Args.withDescription(
    "A file of usage, or - for standard input. The first line of CSV names the columns: timestamp, dimension, quantity, customerAWSAccountId or customerIdentifier, and optionally licenseArn, productCode, usageAllocations (a JSON list). NDJSON has an object with these names on each line. Names ignore case, spaces, - and _."
  )
)

const format = Options.choice("format", ["csv", "ndjson"]).pipe(
  Options.optional,
  Options.withDescription(
    "The format of the file. Defaults to NDJSON for .ndjson and .jsonl, and to CSV for other names."
  )
)

const productCode = productCodeOption.pipe(
  Options.optional,
  Options.withDescription("The product of records that name neither a product nor a license.")
)

const rate = numberOption("rate", "a number of more than 0", (rate) => rate > 0).pipe(
  Options.withDefault(10),
  Options.withDescription("The maximum of calls a second. Defaults to 10, the service's quota.")
)

const isDryRun = Options.boolean("dry-run").pipe(
  Options.withDescription(
    "Send nothing. Show every error, rows that would not be billed as they are, and the number of calls."
  )
)

const rejected = validatedOption(
  "rejected",
  "file",
  "a file's name",
  (path) => !isStandardInput(path)
).pipe(
  Options.optional,
  Options.withDescription(
    "A file for the records that were not accepted, unchanged, with their line and the reason in two more columns. Correct and submit it again. It is replaced at the end, also after Ctrl-C."
  )
)

const json = jsonOption(
  "Print a JSON object for each record as soon as its outcome is known (line, status, reason, record), and a last one with the summary."
)

export const submit = Command.make(
  "submit",
  {
    file,
    format,
    productCode,
    rate,
    dryRun: isDryRun,
    rejected,
    ...clientOptions.options,
    json
  },
  (options) =>
    Effect.gen(function* () {
      const name = displayName(options.file)
      yield* checkInputIsNotOutput(options.file)
      const signals = yield* Signals
      let rejectedRows = Option.none<rejectedFile.RejectedFile>()
      // installed before the file is opened, and so removed after it is closed
      yield* signals.handle({
        unfinished: () => Option.getOrUndefined(rejectedRows)?.unfinished()
      })
      rejectedRows = yield* Effect.transposeOption(
        Option.map(options.rejected, (path) => rejectedFile.open(path, options.file))
      )
      const hasProgressBar =
        process.stderr.isTTY === true && !(options.json && process.stdout.isTTY)
      const notify = (text: string) =>
        Effect.zipRight(
          hasProgressBar ? progressBar.clearLine : Effect.void,
          Console.error(printableLines(text))
        )
      const { abort, stop } = yield* stopOnSignal(notify)
      const report = reporter.make({
        name,
        json: options.json,
        isDryRun: options.dryRun,
        print: (text) => terminal.write(process.stdout, text, Deferred.await(abort)),
        writeRejected: Option.getOrUndefined(rejectedRows)?.write
      })
      const progress = yield* Ref.make(UsageSubmission.initialProgress)
      const readProgress = { bytes: 0, size: yield* fileSize(options.file) }
      const { callsByProduct, layer: countingClient } = dryRunClient.make()
      const clock = yield* Effect.clock
      const productCode = Option.getOrUndefined(options.productCode)
      const check = options.dryRun
        ? dryRunCheck.make({ productCode, now: () => clock.unsafeCurrentTimeMillis() })
        : repeatedRows.makeMark(productCode)

      const submitted = submitRows(
        rowsOf(options.file, options.format, (bytes) => {
          readProgress.bytes += bytes
        }),
        {
          productCode,
          rate: options.dryRun ? Number.POSITIVE_INFINITY : options.rate,
          schedule,
          progress,
          stop: Deferred.await(stop),
          abort: Deferred.await(abort),
          isEndless: readProgress.size === undefined,
          onResult: (result) => report.add(check(result)),
          flush: report.flush,
          isFull: report.isFull
        }
      )
      const result = yield* (
        options.dryRun
          ? Effect.provide(submitted, countingClient)
          : clientOptions.loadCredentials.pipe(
              Effect.raceFirst(
                Effect.zipRight(
                  Deferred.await(stop),
                  interrupted("It was stopped. Nothing was sent.")
                )
              ),
              Effect.zipRight(
                Effect.updateService(submitted, MeteringClient, (client) =>
                  outage.watch(client, notify)
                )
              ),
              Effect.provide(clientOptions.layer(options))
            )
      ).pipe(
        Effect.mapError((error) => (error._tag === "CliError" ? error : toCliError(error))),
        Effect.either,
        hasProgressBar ? progressBar.show(progress, readProgress) : identity
      )

      const total = report.total()
      // nothing was sent, and there is nothing to report
      if (Either.isLeft(result) && total === 0) return yield* result.left
      // replaced even without rejected rows, because the file may contain those of an earlier submission
      const finishError = Option.isNone(rejectedRows)
        ? Option.none()
        : yield* Effect.option(Effect.flip(rejectedRows.value.finish))
      const flushError = Either.isRight(result) ? result.right.flushError : Option.none()
      const isUnread = Either.isLeft(result) || !result.right.isFullyRead
      const { calls } = yield* progress
      yield* report.finish({
        calls,
        isStopped: (yield* Deferred.isDone(stop)) || Option.isSome(flushError),
        isUnread
      })
      if (options.dryRun && !options.json) {
        yield* Console.log(`\n${formatProductCalls(callsByProduct)}`)
      }

      const isAborted = yield* Deferred.isDone(abort)
      const fail = (message: string) => new CliError({ exitCode: isAborted ? 130 : 1, message })
      if (Either.isLeft(result)) return yield* fail(result.left.message)
      const writeError = Option.orElse(flushError, () => finishError)
      if (Option.isSome(writeError)) {
        return yield* fail(`${writeError.value.message} To submit the whole file again is safe.`)
      }
      const problems: Array<string> = []
      const notAccepted = report.notAccepted()
      if (notAccepted > 0) {
        const what = options.dryRun ? "would not be accepted" : "were not accepted"
        const where = Option.map(
          options.rejected,
          (path) => ` They are in ${path}, each with its line and reason.`
        )
        problems.push(
          `${formatCount(notAccepted)} of ${formatCount(total)} records ${what}.${Option.getOrElse(where, () => "")}`
        )
      }
      if (isUnread) {
        problems.push(`Nothing after line ${formatCount(report.lastLine())} of ${name} was read.`)
      }
      if (isAborted && problems.length === 0) problems.push("It was stopped.")
      if (problems.length > 0) return yield* fail(problems.join("\n"))
    }).pipe(Effect.scoped)
).pipe(
  Command.withDescription(
    "Reports the usage in a file, of any number of customers and products (BatchMeterUsage), and prints the outcome of each record. It is safe to submit a file again within 24 hours: nothing is billed twice."
  )
)

/** Gives up after 5 minutes without a response, because a person may be waiting. */
const schedule = MeteringRetry.backoff({ base: "200 millis", max: "20 seconds" }).pipe(
  Schedule.zipLeft(MeteringRetry.whileRetryable),
  Schedule.upTo("5 minutes")
)

const rowsOf = (
  file: string,
  format: Option.Option<parseRows.Format>,
  onBytes: (bytes: number) => void
) => {
  const bytes = Stream.tap(readBytes(file), (chunk) => Effect.sync(() => onBytes(chunk.length)))
  return Option.getOrElse(format, () => parseRows.formatOf(file)) === "csv"
    ? parseRows.csv(usageRowSchema, bytes, displayName(file))
    : parseRows.ndjson(usageRowSchema, bytes)
}

/** Fails if the output would become part of the input. */
const checkInputIsNotOutput = (file: string) =>
  Effect.suspend(() => {
    const output = redirectedOutput(pathOrDescriptor(file))
    return output === undefined
      ? Effect.void
      : cannotRun(
          `${displayName(file)} is also where ${output} goes: redirect that to another file.`
        )
  })

/** Completes `stop` on the first signal, and `abort` on the second. */
const stopOnSignal = Effect.fnUntraced(function* (notify: (text: string) => Effect.Effect<void>) {
  const stop = yield* Deferred.make<void>()
  const abort = yield* Deferred.make<void>()
  const signals = yield* Signals
  yield* signals.handle({
    onSignal: (level) => Deferred.unsafeDone(level === "stop" ? stop : abort, Effect.void)
  })
  yield* Deferred.await(stop).pipe(
    Effect.zipRight(
      notify(
        "\nStopping: waiting for calls under way, at most 30 seconds. A second signal ends it at once, and leaves their records unknown."
      )
    ),
    Effect.forkScoped
  )
  return { stop, abort }
})

const formatProductCalls = (
  callsByProduct: ReadonlyMap<string | undefined, Readonly<dryRunClient.ProductCalls>>
) =>
  callsByProduct.size === 0
    ? "Nothing would be sent."
    : table(
        ["product", "records", "calls"],
        [...callsByProduct].map(([product, { calls, records }]) => [
          product ?? "licenses",
          records,
          calls
        ])
      )
