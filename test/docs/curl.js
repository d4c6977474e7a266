// A stand-in for curl with the options of the README. Other options and responses without success are errors.
import { parseArgs } from "node:util"

const { positionals, values } = parseArgs({
  allowPositionals: true,
  options: {
    silent: { type: "boolean", short: "s" },
    request: { type: "string", short: "X" },
    header: { type: "string", short: "H", multiple: true },
    data: { type: "string", short: "d" }
  }
})
const [url, ...others] = positionals
if (url === undefined || others.length > 0) throw new Error(`Expected one URL, got ${positionals}`)

const response = await fetch(url, {
  method: values.request ?? (values.data === undefined ? "GET" : "POST"),
  headers: (values.header ?? []).map((line) => line.split(/:\s*/, 2)),
  ...(values.data !== undefined && { body: values.data })
})
console.log(await response.text())
if (!response.ok) process.exitCode = 22
