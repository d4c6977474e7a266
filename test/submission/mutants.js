/**
 * Plants one fault after the other in copies of the sources, each a mistake that would bill wrongly or hide that it may
 * have, and demands that the properties notice. Says what they said, and fails when one was not noticed or cannot be
 * planted any more.
 *
 *     npm run test:mutants [-- part of a name]
 */
import { execFile } from "node:child_process"
import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs"
import { availableParallelism, tmpdir } from "node:os"
import { dirname, join } from "node:path"
import { fileURLToPath } from "node:url"
import { promisify } from "node:util"

const root = join(dirname(fileURLToPath(import.meta.url)), "../..")
const properties = "test/submission/properties.test.ts"

/** Name, file below `src`, what stands there, what is put in its place. */
const mutants = [
  [
    "a retry with a new timestamp",
    "internal/submission/run.ts",
    "parcel.entries.map(({ record }) => record)",
    `parcel.entries.map(({ attempts, record }) => {
      if (attempts === 1) return record
      const like = (value: object, change: object) =>
        Object.assign(Object.create(Object.getPrototypeOf(value)), value, change)
      return like(record, { timestamp: like(record.timestamp, { epochMillis: now() }) })
    })`
  ],
  [
    "DuplicateRecord taken as accepted",
    "internal/submission/entry.ts",
    'return { _tag: "Duplicate" }',
    'return { _tag: "Accepted" }'
  ],
  [
    "UnprocessedRecords dropped",
    "internal/submission/dispatch.ts",
    "left.push(entry)\n      })",
    'if (told !== "Unprocessed") left.push(entry)\n      })'
  ],
  [
    "UnprocessedRecords taken as accepted",
    "internal/submission/dispatch.ts",
    'if (told !== "Unprocessed") doubt(',
    'if (told === "Unprocessed") return books.settle(entry, { _tag: "Accepted" })\n        doubt('
  ],
  [
    "results matched by position",
    "internal/submission/matching.ts",
    "tellOf(result.usageRecord, result)",
    "if (results.indexOf(result) < told.length) tell(results.indexOf(result), result)"
  ],
  [
    "a lost answer reported as not sent",
    "internal/delivery.ts",
    'RequestTimeoutError: "unknown"',
    'RequestTimeoutError: "notSent"'
  ],
  [
    "a cut connection reported as not sent",
    "internal/delivery.ts",
    "ConnectionError: ({ delivery }) => delivery",
    'ConnectionError: () => "notSent"'
  ],
  [
    "a doubt forgotten over a later refusal",
    "internal/submission/entry.ts",
    'if (entry.doubt !== undefined && fate._tag !== "Accepted") {',
    'if (entry.doubt !== undefined && fate._tag === "NotSent") {'
  ],
  [
    "a record without a result taken as not sent",
    "internal/submission/dispatch.ts",
    'if (told !== "Unprocessed") doubt([entry], { reason: told })',
    ""
  ],
  [
    "what was under way reported as not sent after an interruption",
    "internal/submission/dispatch.ts",
    'if (entry.isInFlight) doubt([entry], { reason: "Interrupted" })',
    ""
  ],
  [
    "two records of one key in one call",
    "internal/submission/books.ts",
    "if (last === undefined) free(entry)\n      else last.next = entry",
    "free(entry)"
  ],
  [
    "sent although its time has passed",
    "internal/submission/dispatch.ts",
    "if (time.wall < entry.deadline - margin) return false",
    "if (entry.attempts === 0) return false"
  ],
  [
    "the half of a refused call forgotten",
    "internal/submission/dispatch.ts",
    "const release = ({ search }: Parcel) => joinAll(search?.rest ?? [])",
    "const release = (_: Parcel) => {}"
  ],
  [
    "a result without an echo taken as certain beside one that could not be read",
    "internal/submission/matching.ts",
    "unprocessedRecords.length + unreadable.length === 0",
    "unprocessedRecords.length === 0"
  ],
  [
    "what one record was refused for told of all of its call",
    "internal/submission/causes.ts",
    "reason !== undefined && others.every((entry) => reasonOf(kind, entry, now) === reason)",
    "reason !== undefined || others.every((entry) => reasonOf(kind, entry, now) === reason)"
  ],
  [
    "the rest of a search taken for refused, whatever was not sent meanwhile",
    "internal/submission/dispatch.ts",
    "search(rest, { refused, error, taken })",
    "reject(rest, error)"
  ],
  [
    "licenses of two products never told apart",
    "internal/submission/dispatch.ts",
    "isOfLicenses && mayBeMixed.has(error._tag) && !licensing.areOfOneLicense(entries)",
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

/** What the first property that fails says, if one does. What keeps them from being run at all is an error. */
const failureIn = async (copy) => {
  const { stdout } = await run(
    join(root, "node_modules/.bin/vitest"),
    ["run", "--config", "test/vitest.config.ts", "--bail=1", "--reporter=json", properties],
    {
      cwd: copy,
      maxBuffer: 1e9,
      env: { ...process.env, PLANTED: "yes" }
    }
    // it ends with 1 when one fails
  ).catch((ended) => ended)
  const { numTotalTests, testResults } = JSON.parse(stdout.slice(stdout.indexOf("{")))
  if (!(numTotalTests > 0)) throw new Error(`the properties do not run:\n${stdout.slice(0, 2000)}`)
  return testResults
    .flatMap(({ assertionResults }) => assertionResults)
    .find(({ status }) => status === "failed")
}

/** The property, and the sentence of its counterexample that says what was expected. */
const reasonOf = ({ failureMessages: [message], title }) => {
  const said = /(?:AssertionError|Got \w+): ([^\n]*)/.exec(message)?.[1] ?? message
  return `    ${title}\n      ${said.slice(0, 110)}`
}

const plant = async (copy, [name, file, text, replacement]) => {
  const path = join(copy, "src", file)
  const code = readFileSync(path, "utf8")
  if (code.split(text).length !== 2) {
    throw new Error(`"${name}" cannot be planted: ${file} does not hold once: ${text}`)
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
  if (before !== undefined) throw new Error(`nothing was planted, and yet:\n${reasonOf(before)}`)
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
