/**
 * This client under load, beside the official SDK, and the sandbox that answers both.
 *
 *     npm run bench:load                         a minute of this client, and as much of the SDK
 *     npm run bench:load -- [seconds [callers]]  less or more of each, by fewer or more callers
 *
 * Clients call BatchMeterUsage with 25 records at full speed, in a process each, by turns: this one over undici and with
 * its defaults, the SDK with its own handler over node:http. Signed HTTP over loopback to the
 * command's sandbox, in a process of its own and without a quota. Records are always the same, so that the sandbox bills
 * 25 and no more; what grows in it is a number, and its log up to the 1000 calls that it keeps. The loop is closed: each
 * caller waits for its answer before it calls again, so that latency is of so many calls at once, and not of calls that
 * come whether or not the last ones are answered.
 *
 * It fails when a call fails, when a record is not billed, when the sandbox has seen more calls than were answered, and
 * when the heap of this client after a collection is larger at the end than it was at a sixth of the time.
 *
 * Where the sandbox has all of its core to do, its rate is what is measured, and clients differ by their CPU only. So
 * they also call a plain server with canned answers (server.js), for a fifth of the time.
 *
 * Then the servers alone: requests that were signed before, over raw undici from here. The plain server is what
 * node:http can do. There are no other emulators in the tables: those that are known (moto, LocalStack) are Python or
 * containers, which npm does not install.
 */
import { availableParallelism, cpus } from "node:os"
import { DateTime } from "effect"
import { MeteringClient } from "effect-marketplace-metering"
import { sender, signed } from "./baseline.js"
import { customers, dimension, productCode, requestAt, scenario } from "./batch.js"
import { start, stopAll } from "./children.js"
import { ratio, shown, spread } from "./measure.js"
import { cpuOf, startSandbox } from "./sandbox.js"

if (globalThis.gc === undefined) throw new Error("run it with --expose-gc")

const total = Number(process.argv[2] ?? 60)
// they keep the sandbox busy; 32 get no more answers a second out of it, and wait twice as long for each
const callers = Number(process.argv[3] ?? 16)
const slices = 12
/** The slice after which memory is looked at first. */
const early = slices / 6
/** Some thousand calls, until all is compiled. */
const warmUp = total / 6

const time = Date.now()

const inTurn = (cases, round) => (round % 2 === 0 ? cases : cases.toReversed())
const median = (samples, key) => spread(samples.map((sample) => sample[key])).median
const sum = (samples, key) => samples.reduce((all, sample) => all + sample[key], 0)
const megabytes = (bytes) => `${(bytes / 1e6).toFixed(1)} MB`
const percent = (part) => `${(100 * part).toFixed(0)} %`
const whole = ({ from, median, to }) =>
  `${median.toFixed(0)} (${from.toFixed(0)} to ${to.toFixed(0)})`

// ---------------------------------------------------------------------------------------------------
// clients
// ---------------------------------------------------------------------------------------------------

/** Runs each client for some seconds after a warm-up; returns the number of calls with a response. */
const underLoad = async ({ endpoint, pid, server }, seconds) => {
  const slice = seconds / slices
  const cases = []
  for (const [name, client] of [
    ["this client, undici", "undici"],
    ["official SDK, node:http", "sdk"]
  ]) {
    const { send } = await start("caller.js", [client, String(time), endpoint])
    cases.push({ name, send, samples: [], memory: [] })
  }
  let answered = 0
  for (let round = 0; round <= slices; round++) {
    for (const { memory, samples, send } of inTurn(cases, round)) {
      const isWarmUp = round === 0
      const before = cpuOf(pid)
      const sample = await send("call", {
        callers,
        seconds: isWarmUp ? warmUp : slice,
        isWarmUp
      })
      const served = cpuOf(pid) - before
      answered += sample.calls
      if (isWarmUp) continue
      samples.push({
        ...sample,
        busy: sample.cpu / 1e6 / sample.seconds,
        served: served / 1e6 / sample.seconds,
        "calls a second": sample.calls / sample.seconds,
        "CPU a call": sample.cpu / sample.calls
      })
      if (round === early || round === slices) memory.push(await send("memory"))
    }
  }

  const rows = {}
  for (const { memory, name, samples, send } of cases) {
    const calls = sum(samples, "calls")
    const took = sum(samples, "seconds")
    const { max, p50, p99 } = await send("latency")
    const [first, last] = memory
    rows[name] = {
      "calls a second": (calls / took).toFixed(0),
      "records a second": ((calls * customers.length) / took).toFixed(0),
      "p50, ms": p50.toFixed(2),
      "p99, ms": p99.toFixed(2),
      "max, ms": max.toFixed(1),
      "CPU, µs a call": (sum(samples, "cpu") / calls).toFixed(0),
      "CPU, of a core": percent(median(samples, "busy")),
      "server's": percent(median(samples, "served")),
      "heap after gc": `${megabytes(first.heap)}, ${megabytes(last.heap)}`,
      "resident after gc": `${megabytes(first.rss)}, ${megabytes(last.rss)}`
    }
  }
  console.log(
    `\nBatchMeterUsage, ${customers.length} records, ${server}, ${callers} callers in a closed loop, ${seconds} s each in ${slices} slices; memory after ${(early * slice).toFixed(1)} s and at the end`
  )
  console.table(rows)
  const [ours, sdk] = cases.map(({ samples }) => samples)
  console.log("This client of the SDK, median of the slices (quartiles)")
  console.table(
    Object.fromEntries(
      ["calls a second", "p50", "p99", "CPU a call"].map((key) => [
        key,
        { ratio: shown(ratio(ours, sdk, key)) }
      ])
    )
  )
  const [first, last] = cases[0].memory
  if (last.heap - first.heap > Math.max(first.heap / 10, 2_000_000)) {
    throw new Error("the heap grows with the number of calls")
  }
  return answered
}

/** Checks that each call was made once and has a response, and that nothing was billed twice. */
const check = async ({ endpoint }, answered) => {
  const ask = async (what) => (await fetch(`${endpoint}/_sandbox/${what}`)).json()
  const { BatchMeterUsage: calls } = await ask("calls")
  if (calls !== answered) throw new Error(`${calls} calls came to ${answered} answers`)
  const { length } = await ask("records")
  if (length !== customers.length) throw new Error(`${length} records were stored`)
  console.log(`${calls} calls, as many answers, ${length} records stored`)
}

// ---------------------------------------------------------------------------------------------------
// servers alone
// ---------------------------------------------------------------------------------------------------

const connections = 64
const rounds = 5

const calls = {
  "BatchMeterUsage, 25 records": MeteringClient.batchMeterUsage(requestAt(time)),
  MeterUsage: MeteringClient.meterUsage({
    productCode,
    timestamp: DateTime.unsafeMake(time),
    usageDimension: dimension,
    usageQuantity: 1
  })
}

const isBilled = ({ MeteringRecordId, Results = [] }) =>
  MeteringRecordId !== undefined ||
  (Results.length === customers.length && Results.every(({ Status }) => Status === "Success"))

const alone = async (servers, seconds) => {
  const cases = []
  for (const [call, effect] of Object.entries(calls)) {
    for (const one of servers) {
      const request = await signed(effect, one.endpoint)
      const raw = await sender(one.endpoint, request, connections)
      if (!isBilled(raw.answer)) throw new Error(`${one.server}: ${JSON.stringify(raw.answer)}`)
      cases.push({ ...one, ...raw, call, samples: [] })
    }
  }
  const sampleOf = (count, cpu, took, here) => ({
    rate: count / took,
    cpu: cpu / count,
    busy: cpu / 1e6 / took,
    here
  })
  for (let round = 0; round <= rounds; round++) {
    for (const { pid, samples, send } of inTurn(cases, round)) {
      const before = cpuOf(pid)
      const { cpu, requests, took } = await send(seconds)
      const served = cpuOf(pid) - before
      if (round > 0) samples.push(sampleOf(requests, served, took, cpu / 1e6 / took))
    }
  }
  for (const { close } of cases) await close()

  const { send } = await start("caller.js", ["memory", String(time)])
  const inMemory = []
  for (let round = 0; round <= rounds; round++) {
    const { calls, cpu, seconds: took } = await send("call", { callers: 1, seconds })
    if (round > 0) inMemory.push(sampleOf(calls, cpu, took))
  }

  console.log(
    `\nServers alone, requests signed before, ${connections} connections; and MeteringSandbox.layer without a server; median of ${rounds} slices of ${seconds} s (quartiles)`
  )
  const rowOf = (samples) => ({
    "requests a second": whole(spread(samples.map(({ rate }) => rate))),
    "CPU, µs a request": median(samples, "cpu").toFixed(0),
    "CPU, of a core": percent(median(samples, "busy")),
    "who sends": samples[0].here === undefined ? "" : percent(median(samples, "here"))
  })
  console.table(
    Object.fromEntries([
      ...cases.map(({ call, samples, server }) => [`${call}, ${server}`, rowOf(samples)]),
      ["BatchMeterUsage, 25 records, in memory", rowOf(inMemory)]
    ])
  )
}

console.log(`Node ${process.version}, ${availableParallelism()} × ${cpus()[0]?.model}`)
const started = await startSandbox(scenario)
try {
  const sandbox = { ...started, server: "sandbox" }
  const { pid, firstMessage: port } = await start("server.js")
  const canned = { pid, endpoint: `http://127.0.0.1:${port}`, server: "canned answers" }
  await check(sandbox, await underLoad(sandbox, total))
  await underLoad(canned, total / 5)
  await alone([sandbox, canned], total / 30)
} finally {
  started.stop()
  stopAll()
}
