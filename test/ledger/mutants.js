/**
 * Mutants of billing by a ledger. Each would bill twice, lose usage, bill what was not used, or hide that usage may be billed.
 * Its simulation or one of its tests has to fail.
 */
import { join } from "node:path"
import { build } from "esbuild"
import { failedTest, runIn } from "../support/mutation.js"

const bySimulation = { seeds: 60 }
const safety = (name) => ({ tests: [`test/ledger/safety/${name}.test.ts`] })
const triggers = { tests: ["test/ledger/SqliteLedgerStore.triggers.test.ts"] }
const reporter = { tests: ["test/ledger/UsageReporter.test.ts"] }
const contract = {
  tests: ["test/ledger/MemoryLedgerStore.test.ts"],
  args: ["-t", "stores nothing of a transaction"]
}

/** Name, the check that notices it, and edits: file below `src/ledger`, text, replacement. */
const mutants = [
  // sealing
  [
    "usage added to a sealed entry",
    bySimulation,
    [
      "internal/memory/usage.ts",
      "if (state.entries.get(id)?.isSealed) sealed.set(id, { key, hour })",
      ""
    ],
    [
      "internal/memory/usage.ts",
      'requireThat(old?.isSealed !== true, "the sum of a sealed entry does not change")',
      ""
    ],
    [
      "internal/memory/usage.ts",
      "isSealed: false,\n      quantity: (old",
      "isSealed: old?.isSealed ?? false,\n      quantity: (old"
    ]
  ],
  [
    "a sealed entry opened again by usage",
    bySimulation,
    [
      "internal/memory/usage.ts",
      "if (state.entries.get(id)?.isSealed) sealed.set(id, { key, hour })",
      ""
    ],
    [
      "internal/memory/usage.ts",
      'requireThat(old?.isSealed !== true, "the sum of a sealed entry does not change")',
      ""
    ]
  ],
  [
    "the carry of an hour lost",
    bySimulation,
    [
      "internal/transactions/seal.ts",
      "balances.set(tags, amount)\n      touched",
      "balances.set(tags, 0n * amount)\n      touched"
    ]
  ],
  [
    "the carry of an hour billed again by the next",
    bySimulation,
    [
      "internal/transactions/seal.ts",
      "for (const { amount, tags } of division.rests) balances.set(tags, amount)",
      "for (const { amount, tags } of division.rests) if (amount > 0n) balances.set(tags, amount)"
    ]
  ],
  [
    "an overflow carried and never billed",
    bySimulation,
    ["internal/transactions/seal.ts", "yield* tables.ensureEntries(next, now)", ""]
  ],
  [
    "an overflow dropped",
    bySimulation,
    [
      "internal/model/share.ts",
      "amount: amount - (shares[index] ?? 0n) * unit",
      "amount: quantity === maxQuantity ? 0n : amount - (shares[index] ?? 0n) * unit"
    ]
  ],
  [
    "allocations that do not add up",
    bySimulation,
    [
      "internal/model/share.ts",
      "shares[index] = (shares[index] ?? 0n) + 1n",
      "if (missing > 1n || byFraction.length < 2) shares[index] = (shares[index] ?? 0n) + 1n"
    ]
  ],
  [
    "the last hour of a subscription rounded down",
    safety("records"),
    [
      "internal/model/share.ts",
      "const rounded = isLast ? (sum * 2n + unit) / (unit * 2n) : ",
      "const rounded = "
    ]
  ],
  [
    "the rounding of the last hour not declared",
    bySimulation,
    ["internal/model/share.ts", "rounding: isRounded ? quantity * unit - sum : 0n", "rounding: 0n"]
  ],
  [
    "usage replaced by 0 in hours that are reported in any case",
    safety("records"),
    [
      "internal/memory/usage.ts",
      "const missing = rows.filter((row) => !state.entries.has(entryMapKey(row)))",
      `const missing = rows.filter((row) => !state.entries.get(entryMapKey(row))?.isSealed)
      for (const row of missing) journal.set(state.entries, entryMapKey(row), undefined)`
    ]
  ],
  [
    "hours without a round not reported with 0",
    safety("records"),
    [
      "internal/transactions/zeroFill.ts",
      "done === undefined ? beforeHour - 1 : Number(done.position)",
      "beforeHour - 1"
    ]
  ],
  [
    "the deadline at the end of a month ignored",
    bySimulation,
    [
      "internal/model/deadline.ts",
      "startOfNextMonth(timestamp) + monthEndGrace",
      "Number.POSITIVE_INFINITY + startOfNextMonth(timestamp) + monthEndGrace"
    ]
  ],
  [
    "the deadline at the end of a subscription ignored",
    safety("records"),
    ["internal/model/deadline.ts", "closingAt + closingGrace", "closingAt + 24 * closingGrace"]
  ],
  [
    "a record dated before its subscription",
    bySimulation,
    [
      "internal/model/subscription.ts",
      "hourOf(from) === hour ? Math.max(startOf(hour), from) : startOf(hour)",
      "from > Number.MAX_SAFE_INTEGER ? from : startOf(hour)"
    ]
  ],
  [
    "a subscription not ended by the one that follows",
    bySimulation,
    [
      "internal/transactions/subscribe.ts",
      "if (endOf(followed) > row.from)",
      "if (endOf(followed) < 0)"
    ]
  ],
  [
    "a lineage of its own for a renewal",
    bySimulation,
    [
      "internal/transactions/subscribe.ts",
      "followed?.lineage ?? subscription.id,",
      "followed === undefined ? subscription.id : subscription.id,"
    ]
  ],
  // sending
  [
    "a record made again with the time of the call",
    bySimulation,
    [
      "internal/reporter/sendProduct.ts",
      "ids.set(parsed.right.record, id)\n        items.push(parsed.right)",
      `const like = (value: object, change: object) =>
          Object.assign(Object.create(Object.getPrototypeOf(value)), value, change)
        const { record } = parsed.right
        const epochMillis = yield* Clock.currentTimeMillis
        const made = like(record, { timestamp: like(record.timestamp, { epochMillis }) })
        ids.set(made, id)
        items.push({ ...parsed.right, record: made })`
    ]
  ],
  [
    "an attempt stored after its call",
    safety("attempts"),
    [
      "internal/reporter/attemptingClient.ts",
      `          Effect.flatMap(Clock.currentTimeMillis, (now) =>
            Effect.matchEffect(`,
      `          Effect.flatMap(
            Effect.zip(Clock.currentTimeMillis, Effect.exit(restore(client.batchMeterUsage(request)))),
            ([now, exit]) =>
            Effect.matchEffect(`
    ],
    [
      "internal/reporter/attemptingClient.ts",
      `const exit = yield* Effect.exit(
                        restore(withLimit(client.batchMeterUsage(request)))
                      )
`,
      ""
    ]
  ],
  [
    "the fence not checked",
    safety("lease"),
    [
      "internal/transactions/lease.ts",
      "row !== undefined && row.holder === worker && row.fence === fence\n      ? Effect.void",
      "row !== undefined && (row.holder !== worker || row.fence > 0 || fence > 0)\n      ? Effect.void"
    ]
  ],
  [
    "a lease taken while another holds it",
    safety("lease"),
    [
      "internal/transactions/lease.ts",
      "if (isTaken && isPlausible && row.holder !== worker)",
      "if (isTaken && row.until < 0 && row.holder !== worker)"
    ]
  ],
  [
    "a lease that never ends",
    safety("lease"),
    [
      "internal/transactions/lease.ts",
      "if (isTaken && isPlausible && row.holder !== worker)",
      "if (row !== undefined && row.holder !== worker)"
    ]
  ],
  [
    "a restored backup not noticed",
    safety("lease"),
    ["internal/transactions/lease.ts", "ledger.tick < seen.tick", "ledger.tick < 0"]
  ],
  [
    "a call that was made marked as not made",
    safety("attempts"),
    [
      "internal/transactions/send.ts",
      "attempt.sentAt === sentAt && attempt.results.length === 0",
      "sentAt > 0"
    ]
  ],
  // results
  [
    "an attempt without a response ignored",
    bySimulation,
    [
      "internal/model/recordState.ts",
      "const hasUncertain = attempts.some(mayBeBilled)",
      "const hasUncertain = false"
    ]
  ],
  [
    "an unknown outcome counted as a result",
    bySimulation,
    [
      "internal/model/recordState.ts",
      'new Set(["noResponse", "unknownStatus"])',
      'new Set(["unknownStatus"])'
    ]
  ],
  [
    "a lost response stored as not sent",
    bySimulation,
    ["internal/reporter/results.ts", 'if (delivery === "unknown") return "noResponse"', ""]
  ],
  [
    "DuplicateRecord taken as accepted",
    reporter,
    [
      "internal/reporter/results.ts",
      'return { result: "duplicate" }',
      'return { result: "success", meteringRecordId: reported.meteringRecordId }'
    ]
  ],
  [
    "a duplicate taken as accepted",
    reporter,
    [
      "internal/model/recordState.ts",
      'derived("conflicting", true, "another quantity is billed for the hour")',
      'derived("accepted", true, "another quantity is billed for the hour")'
    ]
  ],
  [
    "a duplicate that nothing explains ignored",
    reporter,
    [
      "internal/transactions/send.ts",
      "attempt.call === call && attempt.results",
      "attempt.call < 0 && attempt.results"
    ]
  ],
  [
    "an unprocessed record taken as accepted",
    bySimulation,
    [
      "internal/reporter/results.ts",
      'return { result: "unprocessed" }',
      'return { result: "success" }'
    ]
  ],
  [
    "results dropped after the record is resolved",
    safety("attempts"),
    [
      "internal/transactions/send.ts",
      "const records = locked.filter(({ id }) => ids.includes(id))",
      "const records = locked.filter((row) => ids.includes(row.id) && row.resolvedAt === undefined)"
    ]
  ],
  [
    "results dropped while the store is away",
    { tests: ["test/ledger/results.test.ts"] },
    ["internal/reporter/pendingWrites.ts", "Effect.retry(retries),", ""],
    ["internal/reporter/pendingWrites.ts", "results.add(one)", ""]
  ],
  [
    "the history of a record not written",
    bySimulation,
    [
      "internal/transactions/send.ts",
      "yield* tables.addHistory(history)",
      "yield* tables.addHistory(history.slice(history.length))"
    ]
  ],
  // recording
  [
    "an event known by its id alone",
    bySimulation,
    [
      "internal/recording/recordBatch.ts",
      "return differs.length === 0\n",
      "return differs.length >= 0\n"
    ]
  ],
  [
    "tags compared in their given order",
    bySimulation,
    [
      "internal/model/tags.ts",
      "const keys = Object.keys(tags).sort()",
      "const keys = Object.keys(tags)"
    ]
  ],
  [
    "late usage confirmed and not stored",
    bySimulation,
    [
      "internal/recording/recordBatch.ts",
      "if (Either.isRight(carried)) left.push({ index, event: carried.right })",
      'if (Either.isRight(carried)) results[index] = Either.right(recorded("Carried", event.row.id, carried.right.row.hour))'
    ]
  ],
  [
    "late usage carried against the policy of its product",
    bySimulation,
    [
      "internal/recording/prepareEvent.ts",
      'if (subscribed.product.late === "reject") return tooLate(reason)',
      ""
    ]
  ],
  [
    "half of a batch stored",
    bySimulation,
    [
      "internal/memory/usage.ts",
      "for (const event of fresh) journal.set",
      "for (const event of fresh.slice(0, Math.ceil(fresh.length / 2))) journal.set"
    ]
  ],
  [
    "the other half of a batch that is too large dropped",
    safety("records"),
    [
      "internal/recording/recordBatch.ts",
      "recordDistinct(store, reload, items.slice(middle), now, results)",
      'Effect.sync(() => {\n            for (const { event, index } of items.slice(middle)) {\n              results[index] = Either.right(recorded("Recorded", event.row.id, event.row.hour))\n            }\n          })'
    ]
  ],
  [
    "half of a transaction kept after a failure",
    contract,
    ["MemoryLedgerStore.ts", "else journal.rollback()", "else journal.commit()"]
  ],
  [
    "a second correction counted from the first quantity",
    bySimulation,
    [
      "internal/transactions/adjust.ts",
      "const current = earlier.reduce(",
      "const current = earlier.slice(earlier.length).reduce("
    ]
  ],
  [
    "the position of a log not compared",
    bySimulation,
    [
      "internal/transactions/advance.ts",
      "if (stored?.position !== from) {",
      'if (stored?.position !== from && from === "never") {'
    ]
  ],
  [
    "an update of a log added twice",
    bySimulation,
    ["internal/transactions/advance.ts", "if (stored?.position === to) return", ""],
    [
      "internal/transactions/advance.ts",
      "if (stored?.position !== from) {",
      "if (stored?.position !== from && stored?.position !== to) {"
    ]
  ],
  [
    "the position of a log not moved",
    bySimulation,
    [
      "internal/transactions/advance.ts",
      "yield* tables.putSource({ source, partition, position: to })",
      ""
    ]
  ],
  // operators
  [
    "a record in doubt carried forward",
    safety("operator"),
    [
      "internal/model/recordState.ts",
      '"rejected"\n] as const)',
      '"rejected",\n  "inDoubt"\n] as const)'
    ],
    [
      "internal/transactions/operate.ts",
      'filter.states ?? ["expired"]',
      '["expired", "inDoubt"] as const'
    ],
    ["internal/transactions/operate.ts", "uncertain.has(record.id) ||", "uncertain.has(-1) ||"]
  ],
  [
    "a record carried forward twice",
    safety("operator"),
    ["internal/transactions/operate.ts", "record.carriedAt !== undefined ||", ""]
  ],
  [
    "a record of before a recovery carried forward",
    { tests: ["test/ledger/UsageLedger.operator.test.ts"] },
    ["internal/transactions/operate.ts", "isBeforeRecovery(record.hour, ledger) ||", ""]
  ],
  [
    "a record carried forward that can still be sent",
    { tests: ["test/ledger/UsageLedger.operator.test.ts"] },
    ["internal/transactions/operate.ts", "record.resolvedAt === undefined ||", ""]
  ],
  [
    "a record carried forward while a Region is stopped",
    { tests: ["test/ledger/UsageLedger.operator.test.ts"] },
    ["internal/transactions/operate.ts", "ledger?.holdFrom !== undefined", "ledger === undefined"]
  ],
  [
    "a record carried forward before the service is sure to reject it",
    safety("operator"),
    [
      "internal/transactions/operate.ts",
      "now < record.deadline + certainlyTooLate",
      "now < record.deadline"
    ]
  ],
  // SQLite
  [
    "SQLite: a sealed entry that can change",
    triggers,
    ["internal/sqlite/schema.ts", "(OLD.sealed = 1 AND (", "(OLD.sealed = 2 AND ("]
  ],
  [
    "SQLite: the body of a record that can change",
    triggers,
    ["internal/sqlite/schema.ts", '"dated_at",\n      "body",', '"dated_at",']
  ],
  [
    "SQLite: an accepted record that can change its state",
    triggers,
    ["internal/sqlite/schema.ts", "OLD.state = 'accepted' AND", "OLD.state = 'none' AND"]
  ]
].map(([name, noticedBy, ...edits]) => ({
  name,
  noticedBy,
  edits: edits.map(([file, ...edit]) => [`ledger/${file}`, ...edit])
}))

/**
 * Runs the simulation, and returns its last line as JSON. Throws if it does not run. One file starts much faster than the modules
 * that it is made of.
 */
const simulate = async (copy, args) => {
  const program = join(copy, "simulation.mjs")
  await build({
    entryPoints: [join(copy, "test/ledger/simulation/run.ts")],
    tsconfig: join(copy, "tsconfig.json"),
    outfile: program,
    bundle: true,
    platform: "node",
    format: "esm"
  })
  const { stderr, stdout } = await runIn(copy, [program, "--json", ...args])
  const lines = stdout.trim().split("\n")
  const summary = lines.pop()
  if (!summary?.startsWith("{")) throw new Error(`the simulation does not run:\n${stderr}`)
  return { ...JSON.parse(summary), lines }
}

const failureInSimulation = async (copy, seeds) => {
  const { failed, lines } = await simulate(copy, ["--bail", "--seeds", String(seeds)])
  return failed === 0 ? undefined : lines.slice(0, 2).join(" ")
}

export const ledger = {
  suite: "ledger",
  mutants,
  failureBefore: async (copy) => {
    const tests = mutants.flatMap(({ noticedBy }) =>
      noticedBy.args ? [] : (noticedBy.tests ?? [])
    )
    return (
      (await failureInSimulation(copy, bySimulation.seeds)) ??
      (await failedTest(copy, [...new Set(tests)])) ??
      (await failedTest(copy, contract.tests, contract.args))
    )
  },
  failureIn: (copy, { noticedBy: { args, seeds, tests } }) =>
    tests === undefined ? failureInSimulation(copy, seeds) : failedTest(copy, tests, args)
}
