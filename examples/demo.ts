/**
 * The main job, end to end, with the command: a sandbox of the service, a buyer who signs up, a file of usage that is
 * submitted while an answer is lost, and what was refused corrected and submitted again. It ends with 1 as soon as a
 * figure is not what it should be.
 *
 *     npm run demo
 */
import { deepStrictEqual } from "node:assert"
import { execFileSync, spawn } from "node:child_process"
import { once } from "node:events"
import { copyFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { createInterface } from "node:readline"
import type { Readable } from "node:stream"
import { text } from "node:stream/consumers"
import { fileURLToPath } from "node:url"
import { parse } from "csv-parse/sync"
import type { Report } from "effect-marketplace-metering/sandbox"

const at = (path: string) => fileURLToPath(new URL(path, import.meta.url))
const folder = mkdtempSync(join(tmpdir(), "demo-"))
const file = (name: string) => join(folder, name)

// ---------------------------------------------------------------------------------------------------
// usage
// ---------------------------------------------------------------------------------------------------

type Row = Record<"timestamp" | "customer_aws_account_id" | "dimension" | "quantity", string>

const read = (path: string): ReadonlyArray<Row> => parse(readFileSync(path), { columns: true })

const cell = (text: string) => (/[",]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text)

const write = (path: string, rows: ReadonlyArray<Row>) => {
  const lines = [Object.keys(rows[0] ?? {}), ...rows.map((row) => Object.values(row))]
  writeFileSync(path, lines.map((cells) => `${cells.map(cell).join()}\n`).join(""))
}

const hour = 3_600_000

/** The service takes usage for 24 hours, so the six hours of the file become the last six. */
const shiftToToday = (rows: ReadonlyArray<Row>): ReadonlyArray<Row> => {
  const last = Math.max(...rows.map(({ timestamp }) => Date.parse(timestamp)))
  const shift = (Math.floor(Date.now() / hour) - 1 - Math.floor(last / hour)) * hour
  return rows.map((row) => ({
    ...row,
    timestamp: new Date(Date.parse(row.timestamp) + shift).toISOString()
  }))
}

/** A line for each hour of a customer's usage of a dimension: of several the first. */
const billOf = (rows: ReadonlyArray<Row>): ReadonlyArray<string> => {
  const bill = new Map<string, string>()
  for (const { customer_aws_account_id, dimension, quantity, timestamp } of rows) {
    const key = [customer_aws_account_id, dimension, timestamp.slice(0, 13)].join()
    const isGood = customer_aws_account_id !== cancelled && dimensions.includes(dimension)
    if (isGood && !bill.has(key)) bill.set(key, `${key},${quantity}`)
  }
  return [...bill.values()].sort()
}

/** Parses the output of the sandbox. */
const dimensions = ["api-calls", "documents-indexed", "storage-gb-hours"]
const cancelled = "775193402816"

const assertEqual = (what: string, actual: unknown, expected: unknown) =>
  deepStrictEqual(actual, expected, `${what} is ${actual}, and should be ${expected}`)

// ---------------------------------------------------------------------------------------------------
// the command
// ---------------------------------------------------------------------------------------------------

const printHeading = (text: string) => console.log(`\n# ${text}`)

/** Types a command, and shows what it prints but for what is piped. */
const startCommand = (line: string, env: Record<string, string> = {}) => {
  console.log(`\n$ effect-marketplace-metering ${line}`)
  const [args = "", ...pipe] = line.split(" | ")
  const isPiped = pipe.length > 0 || args.startsWith("sandbox")
  return spawn(process.execPath, [file("command.mjs"), ...args.split(" ")], {
    cwd: folder,
    env: { ...process.env, ...env },
    stdio: ["inherit", isPiped ? "pipe" : "inherit", "inherit"]
  })
}

const startSandbox = async () => {
  const child = startCommand("sandbox --port 0 --scenario world.json")
  for await (const line of createInterface({ input: child.stdout as Readable })) {
    const [url] = /http:\/\/[\d.]+:\d+/.exec(line) ?? []
    if (url === undefined) continue
    console.log(line)
    return { child, url }
  }
  throw new Error("the sandbox has ended")
}

const demo = async (url: string) => {
  const environment = {
    AWS_ENDPOINT_URL_MARKETPLACE_METERING: url,
    AWS_IGNORE_CONFIGURED_ENDPOINT_URLS: "false",
    AWS_REGION: "us-east-1",
    AWS_ACCESS_KEY_ID: "sandbox",
    AWS_SECRET_ACCESS_KEY: "sandbox"
  }
  const run = async (line: string, expectedCode: number) => {
    const child = startCommand(line, environment)
    const output = child.stdout === null ? "" : await text(child.stdout)
    const [code] = child.exitCode === null ? await once(child, "exit") : [child.exitCode]
    assertEqual("the exit code", code, expectedCode)
    return output
  }
  const submit = (name: string, expectedCode: number, more = "") =>
    run(`submit ${name} --product-code atlas-search${more}`, expectedCode)
  const callSandbox = async <A>(path: string, init?: RequestInit): Promise<A> =>
    // what the sandbox's own control answers
    (await fetch(`${url}/_sandbox/${path}`, init)).json() as Promise<A>
  const billed = async () => {
    // a page of it, which has room for all of the file
    const { billed, next } = await callSandbox<typeof Report.BilledPage.Encoded>("billed")
    assertEqual("whether there is another page", next, undefined)
    return billed
      .map(({ customerAWSAccountId, dimension, hour, quantity }) =>
        [customerAWSAccountId, dimension, hour.slice(0, 13), quantity].join()
      )
      .sort()
  }

  printHeading(
    "A buyer signs up: the page is given a registration token, and the seller asks whose it is."
  )
  const { registrationToken } = await callSandbox<{ readonly registrationToken: string }>(
    "tokens",
    {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ customerAWSAccountId: "201845637190" })
    }
  )
  writeFileSync(file("token.txt"), registrationToken)
  await run("resolve token.txt", 0)

  const usage = shiftToToday(read(at("data/usage.csv")))
  write(file("usage.csv"), usage)
  printHeading(`${usage.length} records are submitted. The answer to the first call will be lost.`)
  await submit("usage.csv", 1, " --rejected rejected.csv")
  const calls = (await callSandbox<ReadonlyArray<typeof Report.Call.Encoded>>("log")).filter(
    ({ operation }) => operation === "BatchMeterUsage"
  )
  const countOf = (kind: string) => calls.filter(({ fault }) => fault === kind).length
  assertEqual("the number of lost answers", countOf("cutAfter"), 1)
  assertEqual("the number of throttled calls", countOf("throttling"), 1)
  assertEqual("what is billed", (await billed()).length, usage.length - 5)
  printHeading(
    `It took ${calls.length} calls: one answer was lost, one call was throttled, and a record that spoilt its call had to be found. What was accepted is billed, each hour once.`
  )

  const rejected = read(file("rejected.csv"))
  assertEqual("the number of rejected records", rejected.length, 5)
  const corrections = rejected.map((row) => ({
    ...row,
    dimension: row.dimension.replace("documents_indexed", "documents-indexed"),
    quantity: String(Math.round(Number(row.quantity)))
  }))
  const corrected = corrections.filter(
    ({ dimension, quantity }, i) =>
      dimension !== rejected[i]?.dimension || quantity !== rejected[i]?.quantity
  )
  write(file("corrected.csv"), corrected)
  printHeading(
    `Of the ${rejected.length} in rejected.csv two are corrected, a dimension and a quantity, and submitted again.`
  )
  await submit("corrected.csv", 0)
  const bill = await billed()
  assertEqual("what is billed", bill, billOf([...corrected, ...usage]))

  printHeading("And the whole file once more, as after a crash.")
  const summary = (await submit("usage.csv", 1, " --json | tail -n 1")).trim().split("\n").at(-1)
  console.log(summary)
  assertEqual("what was accepted again", JSON.parse(summary ?? "").summary.counts.Accepted, 88)
  assertEqual("what is billed", await billed(), bill)
  const unitsOf = (rows: ReadonlyArray<Row>) =>
    rows.reduce((sum, { quantity }) => sum + Number(quantity), 0)
  const units = bill.reduce((sum, line) => sum + Number(line.split(",").at(-1)), 0)
  const uncorrected = rejected.length - corrected.length
  // the file without what was rejected, and that of it which was corrected
  assertEqual("the units billed", units, unitsOf(usage) - unitsOf(rejected) + unitsOf(corrected))
  printHeading(
    `Nothing was billed twice: ${bill.length} hours of usage, ${units.toLocaleString("en-US")} units. That is all of the file but for the ${uncorrected} records that stay rejected.`
  )
}

try {
  execFileSync(process.execPath, [at("../src/bin/bundle.js"), file("command.mjs")])
  copyFileSync(at("data/world.json"), file("world.json"))
  const { child, url } = await startSandbox()
  try {
    await demo(url)
  } finally {
    child.kill()
  }
} finally {
  rmSync(folder, { recursive: true })
}
