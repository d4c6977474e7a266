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
import * as AwsCredentials from "../AwsCredentials.js"
import { MeteringClient } from "../MeteringClient.js"
import * as MeteringRetry from "../MeteringRetry.js"
import * as UsageSubmission from "../UsageSubmission.js"
import * as connection from "./internal/connection.js"
import { cannotRun, Failure, stopped } from "./internal/failure.js"
import { outputInto } from "./internal/fileIdentity.js"
import * as foreseen from "./internal/foreseen.js"
import { bytesOf, descriptorOf, isStandardInput, nameOf, sizeOf } from "./internal/input.js"
import { number } from "./internal/options.js"
import * as outage from "./internal/outage.js"
import * as output from "./internal/output.js"
import { printableLines } from "./internal/printable.js"
import * as progressBar from "./internal/progressBar.js"
import { failureOf } from "./internal/refusal.js"
import * as rehearsal from "./internal/rehearsal.js"
import * as rejectedFile from "./internal/rejectedFile.js"
import * as repeated from "./internal/repeated.js"
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
  { file, format, productCode, rate, dryRun, rejected, ...connection.options, json: asJson },
  (options) =>
    Effect.gen(function* () {
      const name = nameOf(options.file)
      yield* keepApart(options.file)
      const { hold } = yield* Signals
      let rejectedRows = Option.none<rejectedFile.RejectedFile>()
      // in front of the file, so that it holds until the file is closed
      yield* hold(() => Option.getOrUndefined(rejectedRows)?.unfinished())
      rejectedRows = yield* Effect.transposeOption(
        Option.map(options.rejected, (path) => rejectedFile.open(path, options.file))
      )
      const hasBar = process.stderr.isTTY === true && !(options.json && process.stdout.isTTY)
      const say = (text: string) =>
        Effect.zipRight(hasBar ? clearLine : Effect.void, Console.error(printableLines(text)))
      const { stop, stopAtOnce } = yield* stopBySignal(say)
      const report = reporting.make({
        name,
        json: options.json,
        isDryRun: options.dryRun,
        print: (text) => output.write(process.stdout, text, Deferred.await(stopAtOnce)),
        writeRejected: Option.getOrUndefined(rejectedRows)?.write
      })
      const progress = yield* Ref.make(UsageSubmission.noProgress)
      const reading = { bytes: 0, size: yield* sizeOf(options.file) }
      const packed = rehearsal.make()
      const clock = yield* Effect.clock
      const productCode = Option.getOrUndefined(options.productCode)
      const look = options.dryRun
        ? foreseen.make({ productCode, now: () => clock.unsafeCurrentTimeMillis() })
        : repeated.make(productCode)

      const submitted = submitRows(
        rowsOf(options.file, options.format, (bytes) => {
          reading.bytes += bytes
        }),
        {
          productCode,
          rate: options.dryRun ? Number.POSITIVE_INFINITY : options.rate,
          schedule,
          progress,
          stop: Deferred.await(stop),
          stopAtOnce: Deferred.await(stopAtOnce),
          isEndless: reading.size === undefined,
          onSettled: (settled) => report.add(look(settled)),
          flush: report.flush,
          isFull: report.isFull
        }
      )
      const ended = yield* (
        options.dryRun
          ? Effect.provide(submitted, packed.layer)
          : haveCredentials.pipe(
              Effect.raceFirst(
                Effect.zipRight(Deferred.await(stop), stopped("It was stopped. Nothing was sent."))
              ),
              Effect.zipRight(
                Effect.updateService(submitted, MeteringClient, (client) =>
                  outage.watch(client, say)
                )
              ),
              Effect.provide(connection.layer(options))
            )
      ).pipe(
        Effect.mapError((error) => (error._tag === "Failure" ? error : failureOf(error))),
        Effect.either,
        hasBar ? showProgress(progress, reading) : identity
      )

      const { calls } = yield* progress
      // nothing has been sent, and nothing can be told
      if (Either.isLeft(ended) && report.tally.total === 0) return yield* ended.left
      // what it held is of another submission, also when nothing is to be written now
      const notPlaced = Option.isNone(rejectedRows)
        ? Option.none()
        : yield* Effect.option(Effect.flip(rejectedRows.value.finish))
      const notFlushed = Either.isRight(ended) ? ended.right.notFlushed : Option.none()
      const notWritten = Option.orElse(notFlushed, () => notPlaced)
      const isStopped = (yield* Deferred.isDone(stop)) || Option.isSome(notFlushed)
      const isUnread = Either.isLeft(ended) || !ended.right.isReadToItsEnd
      yield* report.finish({ calls, isStopped, isUnread })
      if (options.dryRun && !options.json) {
        yield* Console.log(`\n${packingOf(packed.packed)}`)
      }
      const exitCode = (yield* Deferred.isDone(stopAtOnce)) ? 130 : 1
      const fail = (message: string) => new Failure({ exitCode, message })
      if (Either.isLeft(ended)) return yield* fail(ended.left.message)
      if (Option.isSome(notWritten)) {
        return yield* fail(`${notWritten.value.message} To submit the whole file again is safe.`)
      }
      const where = Option.match(options.rejected, {
        onNone: () => "",
        onSome: (path) => ` They are in ${path}, each with its line and reason.`
      })
      const what = options.dryRun ? "would not be accepted" : "were not accepted"
      const bad =
        report.bad() > 0
          ? `${shown(report.bad())} of ${shown(report.tally.total)} records ${what}.${where}`
          : undefined
      if (isUnread) {
        const unread = `What follows line ${shown(report.lastLine())} of ${name} was not read.`
        return yield* fail(bad === undefined ? unread : `${bad}\n${unread}`)
      }
      if (bad !== undefined || exitCode === 130) return yield* fail(bad ?? "It was stopped.")
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

/** Fails where the output would become part of the input. */
const keepApart = (file: string) =>
  Effect.suspend(() => {
    const into = outputInto(descriptorOf(file))
    return into === undefined
      ? Effect.void
      : cannotRun(`${nameOf(file)} is where ${into} goes, too: redirect that into another file.`)
  })

/** `stop` is done by the first signal, and `stopAtOnce` by the second. */
const stopBySignal = Effect.fnUntraced(function* (say: (text: string) => Effect.Effect<void>) {
  const stop = yield* Deferred.make<void>()
  const stopAtOnce = yield* Deferred.make<void>()
  const { take } = yield* Signals
  yield* take((wanted) => {
    Deferred.unsafeDone(wanted === "end" ? stop : stopAtOnce, Effect.void)
  })
  yield* Deferred.await(stop).pipe(
    Effect.zipRight(
      say(
        "\nStopping: calls under way are awaited, for 30 seconds at the most. Once more ends it at once, and their records are then unknown."
      )
    ),
    Effect.forkScoped
  )
  return { stop, stopAtOnce }
})

const clearLine = Effect.sync(() => process.stderr.write("\r\u001b[K"))

/** There is a bar while the effect runs, and nothing after. */
const showProgress = (
  progress: Ref.Ref<UsageSubmission.Progress>,
  reading: progressBar.Reading
) => {
  const { stderr } = process
  const draw = Effect.zipRight(
    clearLine,
    Effect.flatMap(progress, (now) =>
      Effect.sync(() => stderr.write(progressBar.line(now, reading, (stderr.columns ?? 80) - 1)))
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

const packingOf = (packed: ReadonlyMap<string | undefined, rehearsal.Packed>) =>
  packed.size === 0
    ? "Nothing would be sent."
    : table(
        ["product", "records", "calls"],
        [...packed].map(([product, { calls, records }]) => [product ?? "licences", records, calls])
      )
