// Writes each TypeScript example of the README and of the docstrings to a file of test/docs/out, for the type check and
// the tests. A line with its value in a comment becomes an exported pair of both, which the tests compare.
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { basename, dirname, join } from "node:path"
import { fileURLToPath } from "node:url"

const here = dirname(fileURLToPath(import.meta.url))
const root = join(here, "../..")
const out = join(here, "out")

const fence = /^( *(?:\* ?)?)```(?:ts|typescript)[^\n]*\n([\s\S]*?)^ *(?:\* ?)?```/gm

/** An expression alone on its line, with its value as an expression in a comment. */
const valueLine =
  /^;?(?!const |export |import )(\S.*) \/\/ (true|false|-?[\d.]+|"[^"]*"|[[{].*[\]}]|(?:Either|Option)\..*\))$/gm

const printed = /^console\.log\((.*)\)$/

const examplesOf = (file) => {
  const text = readFileSync(file, "utf8")
  return [...text.matchAll(fence)].map(([, prefix, body]) =>
    prefix.includes("*") ? body.replace(/^ *\* ?/gm, "") : body
  )
}

const sources = readdirSync(join(root, "src"), { recursive: true, encoding: "utf8" })
  .filter((name) => name.endsWith(".ts"))
  .map((name) => join("src", name))

rmSync(out, { recursive: true, force: true })
mkdirSync(out, { recursive: true })
for (const file of ["README.md", ...sources]) {
  const name = file
    .replace(/^src\//, "")
    .replace(/\.\w+$/, "")
    .replaceAll("/", "-")
  examplesOf(join(root, file)).forEach((code, i) => {
    let pairs = 0
    const shown = code
      // exported, so that the compiler does not report them as unused and tests can run them
      .replace(/^(?=(?:const|function|class) )/gm, "export ")
      .replace(
        valueLine,
        (_, value, expected) =>
          `export const value${++pairs} = [${value.replace(printed, "$1")}, ${expected}] as const`
      )
    writeFileSync(join(out, `${basename(name)}.${i + 1}.ts`), shown)
  })
}
