/**
 * CPU of one BatchMeterUsage call with 25 records over loopback, beside the official SDK, in one run:
 * rounds of every case in turn, the median of the rounds, as a ratio. It runs the package as built.
 *
 *     npm run bench
 */
import { fork } from "node:child_process"
import { once } from "node:events"
import { fileURLToPath } from "node:url"
import {
  BatchMeterUsageCommand,
  MarketplaceMeteringClient
} from "@aws-sdk/client-marketplace-metering"
import { NodeHttpClient } from "@effect/platform-node"
import { DateTime, Duration, Effect, Layer, ManagedRuntime } from "effect"
import {
  AwsCredentials,
  MeteringClient,
  MeteringConfig,
  UsageRecord
} from "effect-marketplace-metering"

const callsPerRound = 500
const rounds = 9
const warmUp = 2

const server = fork(fileURLToPath(new URL("server.js", import.meta.url)))
const [port] = await once(server, "message")
const endpoint = `http://127.0.0.1:${port}`
const credentials = { accessKeyId: "AKIDEXAMPLE", secretAccessKey: "secret", sessionToken: "token" }

const sdk = new MarketplaceMeteringClient({ region: "us-east-1", endpoint, credentials })

const client = (requestTimeout) =>
  ManagedRuntime.make(
    MeteringClient.layer.pipe(
      Layer.provide([
        MeteringConfig.layer({ region: "us-east-1", endpoint, requestTimeout }),
        AwsCredentials.layerStatic(credentials),
        NodeHttpClient.layerUndici
      ])
    )
  )

// the official SDK sets no limit to how long an answer may take
const unlimited = client(Duration.infinity)
const limited = client("30 seconds")

const indexes = Array.from({ length: 25 }, (_, i) => i)
const fieldsOf = (i) => ({
  timestamp: DateTime.unsafeMake("2026-11-24T10:15:00.789Z"),
  dimension: "api-calls",
  quantity: 100 + i,
  customerAWSAccountId: "111122223333",
  licenseArn: "arn:aws:license-manager::111122223333:license:l-0123456789abcdef0123456789abcdef"
})
const make = () => indexes.map((i) => UsageRecord.make(fieldsOf(i)))
const made = make()
const madeForSdk = made.map((record) => ({
  Timestamp: new Date(record.timestamp.epochMillis),
  Dimension: record.dimension,
  Quantity: record.quantity,
  CustomerAWSAccountId: record.customerAWSAccountId,
  LicenseArn: record.licenseArn
}))

const callOurs = (client, records, isTraced) => () =>
  client.runPromise(
    Effect.suspend(() => MeteringClient.batchMeterUsage({ usageRecords: records() })).pipe(
      Effect.repeatN(callsPerRound - 1),
      Effect.withTracerEnabled(isTraced)
    )
  )

const cases = {
  "official SDK": async () => {
    for (let i = 0; i < callsPerRound; i++) {
      await sdk.send(new BatchMeterUsageCommand({ UsageRecords: madeForSdk }))
    }
  },
  "no time limit, records made before, tracing off": callOurs(unlimited, () => made, false),
  "records made before, tracing off": callOurs(limited, () => made, false),
  "no time limit, records made in the call, tracing off": callOurs(unlimited, make, false),
  "records made in the call, tracing off": callOurs(limited, make, false),
  "records made before, traced": callOurs(limited, () => made, true)
}

const cpu = new Map()
for (let round = 0; round < warmUp + rounds; round++) {
  for (const [name, run] of Object.entries(cases)) {
    const before = process.cpuUsage()
    await run()
    const { system, user } = process.cpuUsage(before)
    if (round >= warmUp) {
      cpu.set(name, [...(cpu.get(name) ?? []), (user + system) / callsPerRound])
    }
  }
}

const sorted = (values = []) => [...values].sort((a, b) => a - b)
const at = (values, part) => values[Math.round((values.length - 1) * part)] ?? Number.NaN
const base = at(sorted(cpu.get("official SDK")), 0.5)
console.table(
  [...cpu].map(([name, values]) => ({
    case: name,
    "CPU of the SDK's": (at(sorted(values), 0.5) / base).toFixed(2),
    from: (at(sorted(values), 0) / base).toFixed(2),
    to: (at(sorted(values), 1) / base).toFixed(2),
    "ms a call": (at(sorted(values), 0.5) / 1000).toFixed(3)
  }))
)

await unlimited.dispose()
await limited.dispose()
sdk.destroy()
server.kill()
