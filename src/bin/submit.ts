/** `submit`: a file of usage of any length, and what became of each of its records. */
import * as Args from "@effect/cli/Args"
import * as Command from "@effect/cli/Command"
import * as HelpDoc from "@effect/cli/HelpDoc"
import * as Options from "@effect/cli/Options"
import * as ValidationError from "@effect/cli/ValidationError"
import type { PlatformError } from "@effect/platform/Error"
import * as FileSystem from "@effect/platform/FileSystem"
import * as Console from "effect/Console"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Option from "effect/Option"
import * as Ref from "effect/Ref"
import * as Schedule from "effect/Schedule"
import * as Stream from "effect/Stream"
import * as AwsCredentials from "../AwsCredentials.js"
import * as MeteringRetry from "../MeteringRetry.js"
import * as UsageSubmission from "../UsageSubmission.js"
import * as connection from "./internal/connection.js"
import { cannotRun, refused } from "./internal/failure.js"
import { reasonOf } from "./internal/files.js"
import { bytesOf, isStandardInput, nameOf, sizeOf } from "./internal/input.js"
import { number } from "./internal/options.js"
import * as progressBar from "./internal/progressBar.js"
import { failureOf } from "./internal/refusal.js"
import * as rehearsal from "./internal/rehearsal.js"
import * as reporting from "./internal/reporting.js"
import * as rows from "./internal/rows.js"
import { Signals } from "./internal/signals.js"
import { submitRows } from "./internal/submitRows.js"
import { table } from "./internal/table.js"

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

const rate = number("rate", "a number of more than 0", (rate) => rate > 0).pipe(
  Options.withDefault(10),
  Options.withDescription(
    "Calls a second at the most, 10 unless given, which is the service's quota."
  )
)

const dryRun = Options.boolean("dry-run").pipe(
  Options.withDescription("Send nothing: show every error, and how many calls it would take.")
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
    "Where to write the records that were not accepted, as they were, with the reason in another column: to be corrected and submitted again. What it held is lost."
  )
)

const asJson = Options.boolean("json").pipe(
  Options.withDescription(
    "Print a JSON object for each record as soon as its outcome is known (line, status, reason, record), and at last one with the summary."
  )
)

export const submit = Command.make(
  "submit",
  { file, format, productCode, rate, dryRun, rejected, ...connection.options, json: asJson },
  (options) =>
    Effect.gen(function* () {
      const name = nameOf(options.file)
      const rejectedFile = yield* Effect.transposeOption(
        Option.map(options.rejected, (path) => writerTo(path, options.file))
      )
      const report = reporting.make({
        name,
        json: options.json,
        isDryRun: options.dryRun,
        writeRejected: Option.getOrUndefined(rejectedFile)?.write
      })
      const progress = yield* Ref.make(UsageSubmission.noProgress)
      const reading = { bytes: 0, size: yield* sizeOf(options.file) }
      const stop = yield* stopBySignal
      const packed = rehearsal.make()

      const submitted = submitRows(
        rowsOf(options.file, options.format, (bytes) => {
          reading.bytes += bytes
        }),
        {
          productCode: Option.getOrUndefined(options.productCode),
          rate: options.dryRun ? Number.POSITIVE_INFINITY : options.rate,
          schedule,
          progress,
          stop: Deferred.await(stop),
          isEndless: reading.size === undefined,
          onSettled: report.add,
          flush: report.flush
        }
      )
      const ended = yield* (
        options.dryRun
          ? Effect.provide(submitted, packed.layer)
          : haveCredentials.pipe(
              Effect.zipRight(submitted),
              Effect.provide(connection.layer(options))
            )
      ).pipe(
        Effect.mapError((error) => (error._tag === "Failure" ? error : failureOf(error))),
        Effect.either,
        showProgress(progress, reading, !options.json || process.stdout.isTTY !== true)
      )

      const { calls } = yield* progress
      // nothing has been sent, and nothing can be told
      if (Either.isLeft(ended) && report.tally.total === 0) return yield* ended.left
      // what it held is of another submission, also when nothing is to be written now
      const notBegun = Option.isNone(rejectedFile)
        ? Option.none()
        : yield* Effect.option(Effect.flip(rejectedFile.value.begin))
      const notWritten = Either.isRight(ended)
        ? Option.orElse(ended.right.notFlushed, () => notBegun)
        : notBegun
      const isStopped = (yield* Deferred.isDone(stop)) || Option.isSome(notWritten)
      const isUnread = Either.isLeft(ended) || !ended.right.isReadToItsEnd
      yield* report.finish({
        calls,
        isStopped,
        isUnread
      })
      if (options.dryRun && !options.json) yield* Console.log(`\n${packingOf(packed.packed)}`)
      if (Either.isLeft(ended)) return yield* refused(ended.left.message)
      if (Option.isSome(notWritten)) {
        return yield* refused(
          `${notWritten.value.message} It does not hold all that was not accepted. To submit the whole file again is safe.`
        )
      }
      if (isUnread) {
        return yield* refused(
          `What follows line ${shown(report.lastLine())} of ${name} was not read.`
        )
      }
      if (report.bad() > 0) {
        const where = Option.match(options.rejected, {
          onNone: () => "",
          onSome: (path) => ` They are in ${path}, each with its reason.`
        })
        const what = options.dryRun ? "would not be sent" : "were not accepted"
        return yield* refused(
          `${shown(report.bad())} of ${shown(report.tally.total)} records ${what}.${where}`
        )
      }
    }).pipe(Effect.scoped)
).pipe(
  Command.withDescription(
    "Reports the usage in a file, of any number of customers and products (BatchMeterUsage), and says of each record what became of it. To submit a file again inside of the 24 hours is safe: nothing is billed twice."
  )
)

const shown = (count: number) => count.toLocaleString("en-US")

/** Somebody waits for it: a service that does not answer for so long is not worth more of that. */
const schedule = MeteringRetry.backoff({ base: "200 millis", max: "20 seconds" }).pipe(
  Schedule.zipLeft(MeteringRetry.whileRetryable),
  Schedule.upTo("5 minutes")
)

/** Before anything is read: without them every record would fail alike. */
const haveCredentials = Effect.flatMap(AwsCredentials.AwsCredentials, ({ get }) => get)

const rowsOf = (
  file: string,
  format: Option.Option<rows.Format>,
  onBytes: (bytes: number) => void
) => {
  const bytes = Stream.tap(bytesOf(file), (chunk) => Effect.sync(() => onBytes(chunk.length)))
  return Option.getOrElse(format, () => rows.formatOf(file)) === "csv"
    ? rows.csv(bytes, nameOf(file))
    : rows.ndjson(bytes)
}

/** Done by the first signal. */
const stopBySignal = Effect.gen(function* () {
  const stop = yield* Deferred.make<void>()
  const { take } = yield* Signals
  yield* take(() => Deferred.unsafeDone(stop, Effect.void))
  yield* Deferred.await(stop).pipe(
    Effect.zipRight(
      Console.error(
        "\nStopping: calls under way are awaited, for 30 seconds at the most. Once more ends it at once."
      )
    ),
    Effect.forkScoped
  )
  return stop
})

/** A file for what was not accepted, which must not be the one that is read. Until it begins it keeps what it holds. */
const writerTo = (path: string, source: string) =>
  Effect.gen(function* () {
    const fs = yield* FileSystem.FileSystem
    const real = (file: string) => Effect.orElseSucceed(fs.realPath(file), () => file)
    if (!isStandardInput(source) && (yield* real(path)) === (yield* real(source))) {
      return yield* cannotRun(`${path} is being read: give another file by --rejected.`)
    }
    const failed = (error: PlatformError) =>
      cannotRun(`${path} cannot be written: ${reasonOf(error)}.`)
    const opened = yield* Effect.mapError(fs.open(path, { flag: "a", mode: 0o600 }), failed)
    const { type } = yield* Effect.mapError(opened.stat, failed)
    const begin = yield* Effect.cached(
      // a pipe or a device has nothing to be lost
      Effect.mapError(type === "File" ? opened.truncate() : Effect.void, failed)
    )
    const encoder = new TextEncoder()
    return {
      begin,
      write: (text: string) =>
        Effect.zipRight(begin, Effect.mapError(opened.writeAll(encoder.encode(text)), failed))
    }
  })

/** On a terminal there is a bar while the effect runs, and nothing after. */
const showProgress =
  (progress: Ref.Ref<UsageSubmission.Progress>, reading: progressBar.Reading, isWanted: boolean) =>
  <A, E, R>(effect: Effect.Effect<A, E, R>): Effect.Effect<A, E, R> => {
    const { stderr } = process
    if (!stderr.isTTY || !isWanted) return effect
    const write = (text: string) => Effect.sync(() => stderr.write(`\r\u001b[K${text}`))
    const draw = Effect.flatMap(progress, (now) =>
      write(progressBar.line(now, reading, (stderr.columns ?? 80) - 1))
    )
    return effect.pipe(
      Effect.raceFirst(
        Effect.zipRight(Effect.repeat(draw, Schedule.spaced("100 millis")), Effect.never)
      ),
      Effect.ensuring(write(""))
    )
  }

const packingOf = (packed: ReadonlyMap<string | undefined, rehearsal.Packed>) =>
  packed.size === 0
    ? "Nothing would be sent."
    : table(
        ["product", "records", "calls"],
        [...packed].map(([product, { calls, records }]) => [product ?? "licences", records, calls])
      )
