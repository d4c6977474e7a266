/** `submit`: a file of usage of any length, and what became of each of its records. */
import * as Args from "@effect/cli/Args"
import * as Command from "@effect/cli/Command"
import * as HelpDoc from "@effect/cli/HelpDoc"
import * as Options from "@effect/cli/Options"
import * as ValidationError from "@effect/cli/ValidationError"
import * as Console from "effect/Console"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import { identity } from "effect/Function"
import * as Option from "effect/Option"
import * as Ref from "effect/Ref"
import * as Schedule from "effect/Schedule"
import * as Stream from "effect/Stream"
import * as AwsCredentials from "../../AwsCredentials.js"
import { MeteringClient } from "../../MeteringClient.js"
import * as MeteringRetry from "../../MeteringRetry.js"
import * as UsageSubmission from "../../UsageSubmission.js"
import {
  displayName,
  fileSize,
  isStandardInput,
  pathOrDescriptor,
  readBytes
} from "../input/inputFile.js"
import * as parseRows from "../input/parseRows.js"
import { CliError, cannotRun, interrupted } from "../internal/cliError.js"
import * as clientOptions from "../internal/clientOptions.js"
import * as dryRunChecks from "../internal/dryRunChecks.js"
import * as dryRunClient from "../internal/dryRunClient.js"
import { redirectedOutput } from "../internal/fileIdentity.js"
import { numberOption } from "../internal/options.js"
import * as outage from "../internal/outage.js"
import * as repeatedRows from "../internal/repeatedRows.js"
import { Signals } from "../internal/signals.js"
import { submitRows } from "../internal/submitRows.js"
import { toCliError } from "../internal/toCliError.js"
import { printableLines } from "../output/printable.js"
import * as progressBar from "../output/progressBar.js"
import * as rejectedFile from "../output/rejectedFile.js"
import * as reporter from "../output/reporter.js"
import { table } from "../output/table.js"
import * as writable from "../output/writable.js"

const file = Args.text({ name: "file" }).pipe(
  Args.withDescription(
    "A file of usage, or - for standard input. CSV names its columns in the first line: timestamp, dimension, quantity, customerAWSAccountId or customerIdentifier, and where there are any licenseArn, productCode, usageAllocations (a JSON list). NDJSON has an object with the same names on each line. Case, spaces, - and _ make no difference to names."
  )
)

const format = Options.choice("format", ["csv", "ndjson"]).pipe(
  Options.optional,
  Options.withDescription(
    "How it is written; by the file's name unless given: .ndjson, .jsonl, or else CSV."
  )
)

const productCode = Options.text("product-code").pipe(
  Options.optional,
  Options.withDescription("The product of all records that name neither a product nor a licence.")
)

const rate = numberOption("rate", "a number of more than 0", (rate) => rate > 0).pipe(
  Options.withDefault(10),
  Options.withDescription(
    "Calls a second at the most, 10 unless given, which is the service's quota."
  )
)

const dryRun = Options.boolean("dry-run").pipe(
  Options.withDescription(
    "Send nothing: show every error, rows that would certainly not be billed as they are, and how many calls it would take."
  )
)

const rejected = Options.text("rejected").pipe(
  Options.withPseudoName("file"),
  Options.mapEffect((path) =>
    isStandardInput(path)
      ? Effect.fail(
          ValidationError.invalidValue(
            HelpDoc.p(`--rejected: expected a file's name, got "${path}"`)
          )
        )
      : Effect.succeed(path)
  ),
  Options.optional,
  Options.withDescription(
    "Where to write the records that were not accepted, as they were, with their line and the reason in two more columns: to be corrected and submitted again. Replaces the file at the end, also after Ctrl-C."
  )
)

const asJson = Options.boolean("json").pipe(
  Options.withDescription(
    "Print a JSON object for each record as soon as its outcome is known (line, status, reason, record), and at last one with the summary."
  )
)

export const submit = Command.make(
  "submit",
  { file, format, productCode, rate, dryRun, rejected, ...clientOptions.options, json: asJson },
  (options) =>
    Effect.gen(function* () {
      const name = displayName(options.file)
      yield* checkInputIsNotOutput(options.file)
      const { holdExit } = yield* Signals
      let rejectedRows = Option.none<rejectedFile.RejectedFile>()
      // in front of the file, so that it holds until the file is closed
      yield* holdExit(() => Option.getOrUndefined(rejectedRows)?.unfinished())
      rejectedRows = yield* Effect.transposeOption(
        Option.map(options.rejected, (path) => rejectedFile.open(path, options.file))
      )
      const showsProgressBar =
        process.stderr.isTTY === true && !(options.json && process.stdout.isTTY)
      const notify = (text: string) =>
        Effect.zipRight(
          showsProgressBar ? clearLine : Effect.void,
          Console.error(printableLines(text))
        )
      const { stop, stopAtOnce: abort } = yield* stopOnSignal(notify)
      const report = reporter.make({
        name,
        json: options.json,
        isDryRun: options.dryRun,
        print: (text) => writable.write(process.stdout, text, Deferred.await(abort)),
        writeRejected: Option.getOrUndefined(rejectedRows)?.write
      })
      const progress = yield* Ref.make(UsageSubmission.initialProgress)
      const readProgress = { bytes: 0, size: yield* fileSize(options.file) }
      const dryRunCalls = dryRunClient.make()
      const clock = yield* Effect.clock
      const productCode = Option.getOrUndefined(options.productCode)
      const annotate = options.dryRun
        ? dryRunChecks.make({ productCode, now: () => clock.unsafeCurrentTimeMillis() })
        : repeatedRows.make(productCode)

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
          onResult: (rowResult) => report.add(annotate(rowResult)),
          flush: report.flush,
          isFull: report.isFull
        }
      )
      const result = yield* (
        options.dryRun
          ? Effect.provide(submitted, dryRunCalls.layer)
          : loadCredentials.pipe(
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
        showsProgressBar ? showProgress(progress, readProgress) : identity
      )

      const { calls } = yield* progress
      // nothing has been sent, and nothing can be told
      if (Either.isLeft(result) && report.summary.total === 0) return yield* result.left
      // what it held is of another submission, also when nothing is to be written now
      const finishError = Option.isNone(rejectedRows)
        ? Option.none()
        : yield* Effect.option(Effect.flip(rejectedRows.value.finish))
      const flushError = Either.isRight(result) ? result.right.flushError : Option.none()
      const writeError = Option.orElse(flushError, () => finishError)
      const isStopped = (yield* Deferred.isDone(stop)) || Option.isSome(flushError)
      const isUnread = Either.isLeft(result) || !result.right.isFullyRead
      yield* report.finish({ calls, isStopped, isUnread })
      if (options.dryRun && !options.json) {
        yield* Console.log(`\n${formatProductCalls(dryRunCalls.callsByProduct)}`)
      }
      const exitCode = (yield* Deferred.isDone(abort)) ? 130 : 1
      const fail = (message: string) => new CliError({ exitCode, message })
      if (Either.isLeft(result)) return yield* fail(result.left.message)
      if (Option.isSome(writeError)) {
        return yield* fail(`${writeError.value.message} To submit the whole file again is safe.`)
      }
      const where = Option.match(options.rejected, {
        onNone: () => "",
        onSome: (path) => ` They are in ${path}, each with its line and reason.`
      })
      const what = options.dryRun ? "would not be accepted" : "were not accepted"
      const notAcceptedMessage =
        report.bad() > 0
          ? `${formatCount(report.bad())} of ${formatCount(report.summary.total)} records ${what}.${where}`
          : undefined
      if (isUnread) {
        const unreadMessage = `What follows line ${formatCount(report.lastLine())} of ${name} was not read.`
        return yield* fail(
          notAcceptedMessage === undefined
            ? unreadMessage
            : `${notAcceptedMessage}\n${unreadMessage}`
        )
      }
      if (notAcceptedMessage !== undefined || exitCode === 130)
        return yield* fail(notAcceptedMessage ?? "It was stopped.")
    }).pipe(Effect.scoped)
).pipe(
  Command.withDescription(
    "Reports the usage in a file, of any number of customers and products (BatchMeterUsage), and says of each record what became of it. To submit a file again inside of the 24 hours is safe: nothing is billed twice."
  )
)

const formatCount = (count: number) => count.toLocaleString("en-US")

/** Somebody waits for it: a service that does not answer for so long is not worth more of that. */
const schedule = MeteringRetry.backoff({ base: "200 millis", max: "20 seconds" }).pipe(
  Schedule.zipLeft(MeteringRetry.whileRetryable),
  Schedule.upTo("5 minutes")
)

/** Before anything is read: without them every record would fail alike. */
const loadCredentials = Effect.flatMap(AwsCredentials.AwsCredentials, ({ get }) => get)

const rowsOf = (
  file: string,
  format: Option.Option<parseRows.Format>,
  onBytes: (bytes: number) => void
) => {
  const bytes = Stream.tap(readBytes(file), (chunk) => Effect.sync(() => onBytes(chunk.length)))
  return Option.getOrElse(format, () => parseRows.formatOf(file)) === "csv"
    ? parseRows.csv(bytes, displayName(file))
    : parseRows.ndjson(bytes)
}

/** Fails where the output would become part of the input. */
const checkInputIsNotOutput = (file: string) =>
  Effect.suspend(() => {
    const into = redirectedOutput(pathOrDescriptor(file))
    return into === undefined
      ? Effect.void
      : cannotRun(
          `${displayName(file)} is where ${into} goes, too: redirect that into another file.`
        )
  })

/** `stop` is done by the first signal, and `stopAtOnce` by the second. */
const stopOnSignal = Effect.fnUntraced(function* (notify: (text: string) => Effect.Effect<void>) {
  const stop = yield* Deferred.make<void>()
  const abort = yield* Deferred.make<void>()
  const { handle } = yield* Signals
  yield* handle((level) => {
    Deferred.unsafeDone(level === "stop" ? stop : abort, Effect.void)
  })
  yield* Deferred.await(stop).pipe(
    Effect.zipRight(
      notify(
        "\nStopping: calls under way are awaited, for 30 seconds at the most. Once more ends it at once, and their records are then unknown."
      )
    ),
    Effect.forkScoped
  )
  return { stop, stopAtOnce: abort }
})

const clearLine = Effect.sync(() => process.stderr.write("\r\u001b[K"))

/** There is a bar while the effect runs, and nothing after. */
const showProgress = (
  progress: Ref.Ref<UsageSubmission.Progress>,
  readProgress: progressBar.ReadProgress
) => {
  const { stderr } = process
  const draw = Effect.zipRight(
    clearLine,
    Effect.flatMap(progress, (now) =>
      Effect.sync(() =>
        stderr.write(progressBar.formatLine(now, readProgress, (stderr.columns ?? 80) - 1))
      )
    )
  )
  return <A, E, R>(effect: Effect.Effect<A, E, R>): Effect.Effect<A, E, R> =>
    effect.pipe(
      Effect.raceFirst(
        Effect.zipRight(Effect.repeat(draw, Schedule.spaced("100 millis")), Effect.never)
      ),
      Effect.ensuring(clearLine)
    )
}

const formatProductCalls = (
  callsByProduct: ReadonlyMap<string | undefined, dryRunClient.ProductCalls>
) =>
  callsByProduct.size === 0
    ? "Nothing would be sent."
    : table(
        ["product", "records", "calls"],
        [...callsByProduct].map(([product, { calls, records }]) => [
          product ?? "licences",
          records,
          calls
        ])
      )
