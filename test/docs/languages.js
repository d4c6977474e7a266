// Runs the README's programs in Python and Go against a sandbox and compares their output with the comment beside it.
//
//     PYTHON=/usr/bin/python3 node test/docs/languages.js [python] [go]
import assert from "node:assert/strict"
import { execFileSync, spawn } from "node:child_process"
import { once } from "node:events"
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { fileURLToPath } from "node:url"

const root = fileURLToPath(new URL("../..", import.meta.url))
const readme = readFileSync(join(root, "README.md"), "utf8")
const folder = mkdtempSync(join(tmpdir(), "languages-"))

/** The programs, and how they are run. Debian has the SDK for Go as a package, without modules. */
const languages = {
  python: {
    expected: /print\(.*\) {2}# (.*)$/gm,
    command: (program) => [process.env.PYTHON ?? "python3", ["-c", program]],
    env: {}
  },
  go: {
    expected: /Println\(.*\) \/\/ (.*)$/gm,
    command: (program) => {
      writeFileSync(join(folder, "main.go"), program)
      return ["go", ["run", join(folder, "main.go")]]
    },
    env: { GO111MODULE: "off", GOPATH: "/usr/share/gocode", GOCACHE: join(folder, "cache") }
  }
}

const wanted = process.argv.length > 2 ? process.argv.slice(2) : Object.keys(languages)

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
  for (const language of wanted) {
    const { command, env, expected } = languages[language]
    const blocks = [...readme.matchAll(new RegExp(`^\`\`\`${language}\n([\\s\\S]*?)^\`\`\``, "gm"))]
    assert.equal(blocks.length, 1, language)
    const [[, program]] = blocks
    const output = execFileSync(...command(program.replaceAll("http://127.0.0.1:4598", url)), {
      encoding: "utf8",
      env: { PATH: process.env.PATH, ...environment, ...env }
    })
    const results = [...program.matchAll(expected)].map(([, result]) => result)
    assert.equal(output.trim(), results.join("\n"))
    console.log(`${language}: ${results.join(", ")}`)
  }
} finally {
  sandbox.kill("SIGTERM")
  rmSync(folder, { recursive: true })
}
