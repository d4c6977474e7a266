// Writes every TypeScript example of the README and of the docstrings to test/docs/out, one file each, so
// that the type check covers them and they can be run. A line that says by a comment what its value is becomes
// a pair of both, to be compared.
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { basename, dirname, join } from "node:path"
import { fileURLToPath } from "node:url"

const here = dirname(fileURLToPath(import.meta.url))
const root = join(here, "../..")
const out = join(here, "out")

const fence = /^( *(?:\* ?)?)```(?:ts|typescript)[^\n]*\n([\s\S]*?)^ *(?:\* ?)?```/gm

/** An expression alone on its line, and its value in the words of the language. */
const told =
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
      // what an example only shows is exported, so that it counts as used and can be run
      .replace(/^(?=(?:const|function|class) )/gm, "export ")
      .replace(
        told,
        (_, value, said) =>
          `export const told${++pairs} = [${value.replace(printed, "$1")}, ${said}] as const`
      )
    writeFileSync(join(out, `${basename(name)}.${i + 1}.ts`), shown)
  })
}
