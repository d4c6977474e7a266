// Does what the README has curl do, so that its lines run where there is no curl. An option that the README does not
// have yet is an error, and so is an answer that is none of success.
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
if (url === undefined || others.length > 0) throw new Error(`one URL, and not ${positionals}`)

const response = await fetch(url, {
  method: values.request ?? (values.data === undefined ? "GET" : "POST"),
  headers: (values.header ?? []).map((line) => line.split(/:\s*/, 2)),
  ...(values.data !== undefined && { body: values.data })
})
console.log(await response.text())
if (!response.ok) process.exitCode = 22
