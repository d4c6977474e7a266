// Runs the README's Python program against a sandbox and compares its output with the comment beside it.
//
//     PYTHON=/usr/bin/python3 node test/docs/python.js
import assert from "node:assert/strict"
import { execFileSync, spawn } from "node:child_process"
import { once } from "node:events"
import { readFileSync } from "node:fs"
import { join } from "node:path"
import { fileURLToPath } from "node:url"

const root = fileURLToPath(new URL("../..", import.meta.url))
const readme = readFileSync(join(root, "README.md"), "utf8")
const [program, ...others] = [...readme.matchAll(/^```python\n([\s\S]*?)^```/gm)].map(
  ([, code]) => code
)
assert.ok(program !== undefined && others.length === 0)
const [, expected] = /print\(.*\) {2}# (.*)$/m.exec(program)

const sandbox = spawn(
  process.execPath,
  ["--import", "tsx", join(root, "src/bin/main.ts"), "sandbox", "--port", "0"],
  { cwd: root, stdio: ["ignore", "pipe", "inherit"] }
)
try {
  const [printed] = await once(sandbox.stdout, "data")
  const [url] = /http:\/\/127\.0\.0\.1:\d+/.exec(String(printed)) ?? []
  const [, exports] = /^```sh\n(export [\s\S]*?)^```/m.exec(readme)
  const environment = Object.fromEntries(
    [...exports.matchAll(/(AWS_\w+)=(\S+)/g)].map(([, name, value]) => [name, value])
  )
  const output = execFileSync(
    process.env.PYTHON ?? "python3",
    ["-c", program.replaceAll("http://127.0.0.1:4598", url)],
    { encoding: "utf8", env: { PATH: process.env.PATH, ...environment } }
  )
  assert.equal(output.trim(), expected)
  console.log(`Python: ${output.trim()}`)
} finally {
  sandbox.kill("SIGTERM")
}
