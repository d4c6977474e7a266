/**
 * Mutation tests of billing. Each mutant would bill wrongly, or hide that a record may be billed. It is planted in a copy
 * of the sources, and the properties have to fail. Prints their reason. Fails if a mutant is not noticed, or if its text
 * no longer stands in the sources exactly once.
 *
 *     npm run test:mutants [-- part of a name]
 */
import { execFile } from "node:child_process"
import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs"
import { availableParallelism, tmpdir } from "node:os"
import { dirname, join } from "node:path"
import { fileURLToPath } from "node:url"
import { promisify } from "node:util"

const root = join(dirname(fileURLToPath(import.meta.url)), "../../..")
const properties = "test/internal/submission/properties.test.ts"

/** Name, file below `src`, text, replacement. */
const mutants = [
  [
    "a retry with a new timestamp",
    "internal/submission/runtime.ts",
    "batch.entries.map(({ record }) => record)",
    `batch.entries.map(({ attempts, record }) => {
      if (attempts === 1) return record
      const like = (value: object, change: object) =>
        Object.assign(Object.create(Object.getPrototypeOf(value)), value, change)
      return like(record, { timestamp: like(record.timestamp, { epochMillis: now().wall }) })
    })`
  ],
  [
    "DuplicateRecord reported as Accepted",
    "internal/submission/pendingRecord.ts",
    'return { _tag: "Duplicate" }',
    'return { _tag: "Accepted" }'
  ],
  [
    "UnprocessedRecords dropped",
    "internal/submission/scheduler.ts",
    "left.push(entry)\n      })",
    'if (reported !== "Unprocessed") left.push(entry)\n      })'
  ],
  [
    "UnprocessedRecords reported as Accepted",
    "internal/submission/scheduler.ts",
    'if (reported !== "Unprocessed") markUncertain(',
    'if (reported === "Unprocessed") return pending.resolve(entry, { _tag: "Accepted" })\n        markUncertain('
  ],
  [
    "results matched by position",
    "internal/submission/matchResults.ts",
    "reportEcho(result.usageRecord, result)",
    "if (results.indexOf(result) < reported.length) report(results.indexOf(result), result)"
  ],
  [
    "a lost response reported as not sent",
    "internal/protocol/delivery.ts",
    'RequestTimeoutError: "unknown"',
    'RequestTimeoutError: "notSent"'
  ],
  [
    "a reset connection reported as not sent",
    "internal/protocol/delivery.ts",
    'ConnectionError: ({ delivery }) => (delivery === "notSent" ? "notSent" : "unknown")',
    'ConnectionError: () => "notSent"'
  ],
  [
    "uncertainty dropped after a later rejection",
    "internal/submission/pendingRecord.ts",
    'if (entry.uncertainty !== undefined && resolution._tag !== "Accepted") {',
    'if (entry.uncertainty !== undefined && resolution._tag === "NotSent") {'
  ],
  [
    "a record without a result reported as not sent",
    "internal/submission/scheduler.ts",
    'if (reported !== "Unprocessed") markUncertain([entry], { reason: reported })',
    ""
  ],
  [
    "records in flight reported as not sent after an interruption",
    "internal/submission/scheduler.ts",
    'if (entry.isInFlight) markUncertain([entry], { reason: "Interrupted" })',
    ""
  ],
  [
    "two records of one key in one call",
    "internal/submission/pendingRecords.ts",
    "if (last === undefined) onReady(entry)\n      else last.next = entry",
    "onReady(entry)"
  ],
  [
    "sent after its deadline",
    "internal/submission/scheduler.ts",
    "if (time.wall < entry.deadline - deadlineMargin) return false",
    "if (entry.attempts === 0) return false"
  ],
  [
    "the other half of a rejected call dropped",
    "internal/submission/scheduler.ts",
    "const releaseOtherHalf = ({ bisection }: Batch) => enqueueAll(bisection?.otherHalf ?? [])",
    "const releaseOtherHalf = (_: Batch) => {}"
  ],
  [
    "a result without an echo matched beside an unreadable one",
    "internal/submission/matchResults.ts",
    "unprocessedRecords.length + unreadable.length === 0",
    "unprocessedRecords.length === 0"
  ],
  [
    "one record's rejection applied to its whole call",
    "internal/submission/rejectionCache.ts",
    "cause !== undefined && others.every((entry) => causeOf(kind, entry, now) === cause)",
    "cause !== undefined || others.every((entry) => causeOf(kind, entry, now) === cause)"
  ],
  [
    "the other half of a bisection rejected without a call",
    "internal/submission/scheduler.ts",
    "isolateInvalid(otherHalf, { rejected, error, accepted })",
    "reject(otherHalf, error)"
  ],
  [
    "licenses of two products never separated",
    "internal/submission/scheduler.ts",
    "isOfLicenses && multiProductErrors.has(error._tag) && !haveOneLicense(entries)",
    "isOfLicenses && entries.length > 25"
  ]
].filter(([name]) => name.includes(process.argv[2] ?? ""))

const copyOfSources = () => {
  const copy = mkdtempSync(join(tmpdir(), "mutants-"))
  for (const name of ["src", "test", "package.json", "tsconfig.json"]) {
    cpSync(join(root, name), join(copy, name), { recursive: true })
  }
  symlinkSync(join(root, "node_modules"), join(copy, "node_modules"))
  return copy
}

const run = promisify(execFile)

/** The first property that fails, or undefined. Throws if the properties do not run. */
const failureIn = async (copy) => {
  const { stdout } = await run(
    join(root, "node_modules/.bin/vitest"),
    ["run", "--config", "test/vitest.config.ts", "--bail=1", "--reporter=json", properties],
    {
      cwd: copy,
      maxBuffer: 1e9,
      env: { ...process.env, PLANTED: "yes" }
    }
    // a failed property gives exit code 1
  ).catch((exit) => exit)
  const { numTotalTests, testResults } = JSON.parse(stdout.slice(stdout.indexOf("{")))
  if (!(numTotalTests > 0)) throw new Error(`the properties do not run:\n${stdout.slice(0, 2000)}`)
  return testResults
    .flatMap(({ assertionResults }) => assertionResults)
    .find(({ status }) => status === "failed")
}

/** The title of the property, and the failed assertion. */
const reasonOf = ({ failureMessages: [message], title }) => {
  const assertion = /(?:AssertionError|Got \w+): ([^\n]*)/.exec(message)?.[1] ?? message
  return `    ${title}\n      ${assertion.slice(0, 110)}`
}

const plant = async (copy, [name, file, text, replacement]) => {
  const path = join(copy, "src", file)
  const code = readFileSync(path, "utf8")
  if (code.split(text).length !== 2) {
    throw new Error(`cannot plant "${name}": expected ${file} to contain once: ${text}`)
  }
  writeFileSync(
    path,
    code.replace(text, () => replacement)
  )
  const failure = await failureIn(copy)
  writeFileSync(path, code)
  if (failure === undefined) process.exitCode = 1
  console.log(
    failure === undefined ? `NOT NOTICED: ${name}` : `noticed: ${name}\n${reasonOf(failure)}`
  )
}

const copies = Array.from({ length: availableParallelism() }, copyOfSources)
try {
  const before = await failureIn(copies[0])
  if (before !== undefined)
    throw new Error(`a property fails without a mutant:\n${reasonOf(before)}`)
  const left = [...mutants]
  await Promise.all(
    copies.map(async (copy) => {
      for (let mutant = left.shift(); mutant !== undefined; mutant = left.shift()) {
        await plant(copy, mutant)
      }
    })
  )
} finally {
  for (const copy of copies) rmSync(copy, { recursive: true, force: true })
}
