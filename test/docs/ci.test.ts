/** The examples for CI: the steps of the job, and the image as far as it goes without a container engine. */
import { execFileSync, spawnSync } from "node:child_process"
import { chmodSync, mkdirSync, readFileSync, writeFileSync } from "node:fs"
import { dirname, join } from "node:path"
import { fileURLToPath } from "node:url"
import { describe, expect, it } from "vitest"
import { command } from "../bin/command.js"

const root = fileURLToPath(new URL("../..", import.meta.url))
const read = (path: string) => readFileSync(join(root, path), "utf8")

const { file, start } = command()

/** A folder of programs for PATH, in which `npx` and the command itself run the command of this repository. */
const programs = () => {
  const folder = join(dirname(file("command.mjs")), "programs")
  mkdirSync(folder, { recursive: true })
  const run = `exec "${process.execPath}" "${file("command.mjs")}" "$@"`
  for (const [name, script] of [
    ["npx", `shift; ${run}`],
    ["effect-marketplace-metering", run]
  ] as const) {
    writeFileSync(join(folder, name), `#!/bin/sh\n${script}\n`)
    chmodSync(join(folder, name), 0o755)
  }
  return `${folder}:${process.env.PATH}`
}

describe("the job of GitHub Actions", () => {
  it("starts a sandbox, and its test passes", () => {
    const steps = [...read("examples/ci/github-actions.yml").matchAll(/^ +run: (.*)$/gm)].map(
      ([, step = ""]) => step
    )
    expect(steps[0]).toBe("npm ci")
    const environmentFile = file("github.env")
    writeFileSync(environmentFile, "")
    const cwd = dirname(environmentFile)
    const run = (step: string) => {
      const lines = readFileSync(environmentFile, "utf8").split("\n").filter(Boolean)
      return execFileSync(
        "bash",
        [
          "--noprofile",
          "--norc",
          "-euo",
          "pipefail",
          "-c",
          step.replaceAll("examples/", `${root}examples/`)
        ],
        {
          cwd,
          encoding: "utf8",
          env: {
            PATH: programs(),
            HOME: cwd,
            GITHUB_ENV: environmentFile,
            ...Object.fromEntries(lines.map((line) => line.split("=")))
          }
        }
      )
    }
    const outputs = steps.slice(1).map(run)
    // no service of AWS is called
    const { url } = JSON.parse(readFileSync(file("sandbox.json"), "utf8"))
    for (const service of ["METERING", "ENTITLEMENT_SERVICE"]) {
      expect(readFileSync(environmentFile, "utf8")).toContain(
        `AWS_ENDPOINT_URL_MARKETPLACE_${service}=${url}\n`
      )
    }
    const { pid } = JSON.parse(readFileSync(file("sandbox.json"), "utf8"))
    process.kill(pid, "SIGTERM")
    expect(outputs.join("\n")).toMatch(/^# pass 1$/m)
    expect(outputs.join("\n")).toMatch(/^# fail 0$/m)
    expect(outputs.at(-1)).toContain("This is a sandbox of AWS Marketplace Metering")
  })

  it("fails with the reason if the sandbox cannot start", () => {
    const { status, stderr, stdout } = spawnSync(
      join(root, "examples/ci/start-sandbox.sh"),
      ["--host", "192.0.2.1"],
      {
        cwd: dirname(file("command.mjs")),
        encoding: "utf8",
        env: { PATH: programs() }
      }
    )
    expect([status, stdout]).toEqual([1, ""])
    expect(stderr).toMatch(/does not have that address/)
  })
})

describe("the image", () => {
  const dockerfile = read("examples/docker/Dockerfile")
  const listOf = (instruction: string): ReadonlyArray<string> => {
    const [, list = "[]"] = new RegExp(`^${instruction}.*?(\\[.*\\])$`, "m").exec(dockerfile) ?? []
    return JSON.parse(list)
  }

  it("runs the command, and is healthy", async () => {
    const [name, ...args] = listOf("ENTRYPOINT")
    expect(name).toBe("effect-marketplace-metering")
    const { child, until } = start([...args, "--port", "0"])
    const [, port = ""] = await until(/http:\/\/0\.0\.0\.0:(\d+)/)
    const [program = "", ...check] = listOf("HEALTHCHECK")
    const health = (port: string) =>
      spawnSync(
        program,
        check.map((text) => text.replace("4598", port))
      ).status
    expect(health(port)).toBe(0)
    expect(health("1")).toBe(1)
    child.kill("SIGTERM")
  })
})
