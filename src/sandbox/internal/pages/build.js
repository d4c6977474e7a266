// Bundles the pages: their script and style sheet, as texts.
import { readFileSync } from "node:fs"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { build } from "esbuild"

const here = fileURLToPath(new URL(".", import.meta.url))

/** The license of the library in the script, as it requires. */
const notice = () => {
  const folder = join(here, "../../../../node_modules/preact")
  const { version } = JSON.parse(readFileSync(join(folder, "package.json"), "utf8"))
  return `/*!\npreact ${version}\n\n${readFileSync(join(folder, "LICENSE"), "utf8").trim()}\n*/`
}

export const buildPages = async () => {
  const { outputFiles } = await build({
    entryPoints: [join(here, "main.tsx"), join(here, "style.css")],
    outdir: here,
    write: false,
    bundle: true,
    minify: true,
    format: "esm",
    target: "es2022",
    jsx: "automatic",
    jsxImportSource: "preact",
    tsconfigRaw: {},
    logLevel: "warning"
  })
  const textOf = (ending) => outputFiles.find(({ path }) => path.endsWith(ending)).text
  return { script: `${textOf(".js")}${notice()}\n`, style: textOf(".css") }
}

/** A module with the texts, for a build that does not bundle them itself. */
export const moduleOf = (texts) =>
  Object.entries(texts)
    .map(([name, text]) => `export const ${name} = ${JSON.stringify(text)}\n`)
    .join("")
