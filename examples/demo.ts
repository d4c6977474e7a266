/**
 * The whole workflow with the command: a sandbox, a buyer who signs up, a file of usage whose first call loses its
 * response, and rejected records that are corrected and submitted again. It exits with 1 at the first wrong figure.
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

/** Moves the six hours of the file to the last six hours, since the service accepts usage for 24 hours. */
const shiftToToday = (rows: ReadonlyArray<Row>): ReadonlyArray<Row> => {
  const last = Math.max(...rows.map(({ timestamp }) => Date.parse(timestamp)))
  const shift = (Math.floor(Date.now() / hour) - 1 - Math.floor(last / hour)) * hour
  return rows.map((row) => ({
    ...row,
    timestamp: new Date(Date.parse(row.timestamp) + shift).toISOString()
  }))
}

/** A line for each customer, dimension and hour. The first record of an hour counts. */
const billOf = (rows: ReadonlyArray<Row>): ReadonlyArray<string> => {
  const bill = new Map<string, string>()
  for (const { customer_aws_account_id, dimension, quantity, timestamp } of rows) {
    const key = [customer_aws_account_id, dimension, timestamp.slice(0, 13)].join()
    const isValid = customer_aws_account_id !== cancelled && dimensions.includes(dimension)
    if (isValid && !bill.has(key)) bill.set(key, `${key},${quantity}`)
  }
  return [...bill.values()].sort()
}

/** The dimensions and the cancelled customer of the scenario. */
const dimensions = ["api-calls", "documents-indexed", "storage-gb-hours"]
const cancelled = "775193402816"

const assertEqual = (what: string, actual: unknown, expected: unknown) =>
  deepStrictEqual(actual, expected, `${what} is ${actual}, and should be ${expected}`)

// ---------------------------------------------------------------------------------------------------
// the command
// ---------------------------------------------------------------------------------------------------

const printHeading = (text: string) => console.log(`\n# ${text}`)

/** Runs a command, and shows its output unless it is piped. */
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
  const child = startCommand("sandbox --port 0 --scenario scenario.json")
  for await (const line of createInterface({ input: child.stdout as Readable })) {
    const [url] = /http:\/\/[\d.]+:\d+/.exec(line) ?? []
    if (url === undefined) continue
    console.log(line)
    return { child, url }
  }
  throw new Error("the sandbox has exited")
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
    // the type of the control API's response
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
    "A buyer signs up: the sign-up page gets a registration token, and the seller resolves it."
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
  printHeading(`${usage.length} records are submitted. The response to the first call is lost.`)
  await submit("usage.csv", 1, " --rejected rejected.csv")
  const calls = (await callSandbox<ReadonlyArray<typeof Report.Call.Encoded>>("log")).filter(
    ({ operation }) => operation === "BatchMeterUsage"
  )
  const countOf = (kind: string) => calls.filter(({ fault }) => fault === kind).length
  assertEqual("the number of lost responses", countOf("cutAfter"), 1)
  assertEqual("the number of throttled calls", countOf("throttling"), 1)
  assertEqual("what is billed", (await billed()).length, usage.length - 5)
  printHeading(
    `It took ${calls.length} calls: one response was lost, one call was throttled, and an invalid record failed its call until it was isolated. Accepted records are billed, each hour once.`
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

  printHeading("The whole file is submitted once more, as after a crash.")
  const summary = (await submit("usage.csv", 1, " --json | tail -n 1")).trim().split("\n").at(-1)
  console.log(summary)
  assertEqual(
    "the number of records that were accepted again",
    JSON.parse(summary ?? "").summary.counts.Accepted,
    88
  )
  assertEqual("what is billed", await billed(), bill)
  const unitsOf = (rows: ReadonlyArray<Row>) =>
    rows.reduce((sum, { quantity }) => sum + Number(quantity), 0)
  const units = bill.reduce((sum, line) => sum + Number(line.split(",").at(-1)), 0)
  const uncorrected = rejected.length - corrected.length
  // the accepted records and the corrected ones
  assertEqual("the units billed", units, unitsOf(usage) - unitsOf(rejected) + unitsOf(corrected))
  printHeading(
    `Nothing was billed twice: ${bill.length} hours of usage, ${units.toLocaleString("en-US")} units. Only ${uncorrected} records of the file stay rejected.`
  )
}

try {
  execFileSync(process.execPath, [at("../src/bin/bundle.js"), file("command.mjs")])
  copyFileSync(at("data/scenario.json"), file("scenario.json"))
  const { child, url } = await startSandbox()
  try {
    await demo(url)
  } finally {
    child.kill()
  }
} finally {
  rmSync(folder, { recursive: true })
}
