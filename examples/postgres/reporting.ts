/** Two reporters, one of which is killed while it sends. */
import type { ChildProcess } from "node:child_process"
import { Effect, Option, Schedule, Schema, Stream } from "effect"
import { type LedgerReport, UsageLedger } from "effect-marketplace-metering/ledger"
import { MeteringSandbox } from "effect-marketplace-metering/sandbox"
import { fact } from "../support/print.js"
import { end, type Program, start } from "../support/processes.js"
import { billed } from "../support/proof.js"

type Lines = ReadonlyArray<LedgerReport.StatementLine>

/** Kills the reporter that sends during its first call, lets the other take over, and stops it when all is accepted. */
export const reportByTwo = <E, R>(
  program: Omit<Program, "name">,
  statements: Effect.Effect<Lines, E, R>
) =>
  Effect.gen(function* () {
    const { control, report } = yield* MeteringSandbox.MeteringSandbox
    // the first call has no records: by its response a reporter knows that this is a sandbox
    yield* control.setFaults({
      script: [{ fault: "none" }, { fault: "latency", duration: "1 hour", times: 100 }]
    })
    const workers = new Map<string, ChildProcess>()
    for (const name of ["reporter 1", "reporter 2"]) {
      const environment = { ...program.environment, WORKER: name }
      const child = yield* start({ ...program, name, environment })
      child.stdout.pipe(process.stderr)
      workers.set(name, child)
    }

    yield* until(
      workers,
      Effect.map(billed, ({ length }) => length > 0)
    )
    const [sent] = (yield* statements).filter(isPerhapsBilled)
    const holder = sent?.attempts.at(-1)?.worker ?? ""
    yield* stop(workers, holder, "SIGKILL")
    yield* fact(`${holder} sends, and is killed by SIGKILL in a call`)
    const perhaps = (yield* statements).filter(isPerhapsBilled)
    yield* fact(`${perhaps.length} records are perhaps billed: their attempts have no response`)

    yield* control.setFaults({})
    yield* until(
      workers,
      Effect.map(
        Stream.runCount(UsageLedger.entries({ states: ["open", "sealed"] })),
        (count) => count === 0
      )
    )
    const [other = ""] = workers.keys()
    const lines = yield* statements
    const sentAgain = lines.filter(
      ({ attempts }) =>
        attempts.at(-1)?.worker === other && attempts.some(({ worker }) => worker === holder)
    )
    yield* fact(`${other} takes over, and sends ${sentAgain.length} of them again`)
    const contents = new Set((yield* report.log).flatMap(recordsOf))
    if (contents.size !== lines.length) {
      return yield* Effect.dieMessage(`${lines.length} records were sent as ${contents.size}`)
    }
    yield* fact("every call had the same contents for the same record")
    yield* stop(workers, other, "SIGTERM")
    const { leases } = yield* UsageLedger.status
    const held = leases.some((lease) => lease.holder !== undefined)
    yield* fact(`${other} is stopped by SIGTERM${held ? "" : ", and gives the lease back"}`)
  }).pipe(Effect.scoped)

const isPerhapsBilled = ({ attempts, state }: LedgerReport.StatementLine) =>
  state === "sealed" && attempts.length > 0

const stop = (workers: Map<string, ChildProcess>, name: string, signal: NodeJS.Signals) =>
  Effect.gen(function* () {
    const child = workers.get(name)
    if (child === undefined) return yield* Effect.dieMessage(`there is no worker ${name}`)
    workers.delete(name)
    yield* end(child, signal)
  })

/** The records of a call, as they were sent. */
const recordsOf = ({ request }: { readonly request?: unknown }): ReadonlyArray<string> =>
  Option.match(decodeRequest(request), {
    onNone: () => [],
    onSome: ({ UsageRecords }) => UsageRecords.map((record) => JSON.stringify(record))
  })

const decodeRequest = Schema.decodeUnknownOption(
  Schema.Struct({ UsageRecords: Schema.Array(Schema.Unknown) })
)

/** Waits for a condition. Fails when a worker ends. */
const until = <E, R>(
  workers: ReadonlyMap<string, ChildProcess>,
  condition: Effect.Effect<boolean, E, R>
) =>
  [...workers].reduce(
    (waiting, [name, child]) =>
      Effect.raceFirst(
        waiting,
        Effect.zipRight(end(child), Effect.dieMessage(`${name} has ended`))
      ),
    Effect.asVoid(
      Effect.repeat(condition, {
        until: (isTrue) => isTrue,
        schedule: Schedule.spaced("200 millis")
      })
    )
  )
