import { readFileSync } from "node:fs"
import { Either, Metric } from "effect"
import {
  BatchMeterUsage,
  MeteringError,
  MeteringMetrics,
  MeterUsage,
  RegisterUsage,
  ResolveCustomer,
  type UsageOutcome
} from "effect-marketplace-metering"
import { GetEntitlements } from "effect-marketplace-metering/entitlement"
import { Scenario } from "effect-marketplace-metering/sandbox"
import { describe, expect, it } from "vitest"
import manifest from "../../package.json" with { type: "json" }
import { blocksOf, namesIn, readme, tableOf } from "./readme.js"

const outcomes: { readonly [Tag in UsageOutcome.Outcome["_tag"]]: true } = {
  Accepted: true,
  Duplicate: true,
  CustomerNotSubscribed: true,
  Rejected: true,
  Invalid: true,
  Expired: true,
  NotSent: true,
  Unknown: true,
  UnknownStatus: true
}

const firstColumn = (heading: string) => tableOf(heading).flatMap(([cell = ""]) => namesIn(cell))

describe("the README", () => {
  it("has a row for each outcome", () => {
    expect(firstColumn("outcome")).toEqual(Object.keys(outcomes))
  })

  it("has a row for each error of a call, and the number of exceptions", () => {
    const names = Object.keys(MeteringError)
    const exceptions = names.filter((name) => name.endsWith("Exception"))
    expect(readme).toContain(`${exceptions.length} exceptions`)
    // `MeteringConfigError` is an error of a layer, not of a call
    const errors = names.filter(
      (name) => /[a-z]Error$/.test(name) && name !== "MeteringConfigError"
    )
    expect(firstColumn("tag").sort()).toEqual(errors.sort())
  })

  it("has a row for each metric", () => {
    for (const metric of Object.values(MeteringMetrics)) metric.unsafeValue([])
    const names = Metric.unsafeSnapshot()
      .map(({ metricKey }) => metricKey.name)
      .filter((name) => !name.startsWith("effect_"))
    expect(firstColumn("metric").sort()).toEqual(names.sort())
  })

  it("has the permission of each operation", () => {
    const operations = [BatchMeterUsage, ResolveCustomer, MeterUsage, RegisterUsage]
    const permissions = operations.map(({ operation }) => `aws-marketplace:${operation.name}`)
    expect(readme.match(/aws-marketplace:\w+/g)).toEqual([
      ...permissions,
      `aws-marketplace:${GetEntitlements.operation.name}`
    ])
    const [, policy] = blocksOf("json").map(({ code }) => JSON.parse(code))
    expect(policy.Statement).toEqual([
      { Effect: "Allow", Action: permissions.slice(0, 2), Resource: "*" }
    ])
  })

  it("has a valid scenario and no other JSON", () => {
    const [scenario] = blocksOf("json").map(({ code }) => code)
    expect(Either.getOrThrow(Scenario.fromJson(scenario ?? "")).region).toBe("eu-west-1")
    expect(blocksOf("json")).toHaveLength(2)
  })

  it("has the versions of the manifest and of CI", () => {
    const { devDependencies, engines, peerDependencies, peerDependenciesMeta } = manifest
    const gate = readFileSync(new URL("../../.ci/run", import.meta.url), "utf8")
    const majors = [...gate.matchAll(/^ *on_node (\d+)/gm)].map(([, major]) => major)
    expect(readme).toContain(
      `Node.js ${engines.node.slice(2)}, ${majors.slice(0, -1).join(", ")} and ${majors.at(-1)}.`
    )
    const needs = tableOf("part").map(([, cell = ""]) => cell)
    expect(new Set(needs.flatMap(namesIn))).toEqual(new Set(Object.keys(peerDependencies)))
    expect(needs.slice(1).flatMap(namesIn)).toEqual(
      expect.arrayContaining(Object.keys(peerDependenciesMeta))
    )
    for (const name of ["effect", "@effect/platform"] as const) {
      const [floor] = /\d+\.\d+\.\d+/.exec(peerDependencies[name]) ?? []
      expect(needs[0]).toContain(`\`${name}\` from ${floor}`)
    }
    // the tests of this repository run with the versions of the install line
    const tested: Readonly<Record<string, string>> = devDependencies
    for (const [, name = "", version = ""] of readme.matchAll(/ (@?[\w/-]+)@\^?([\d.]+)/g)) {
      expect(`${tested[name]}.`).toMatch(new RegExp(`^${version.replaceAll(".", "\\.")}\\.`))
    }
  })
})
