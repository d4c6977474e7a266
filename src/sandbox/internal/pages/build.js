// Bundles the script and the style sheet of the pages, as text.
import { readFileSync } from "node:fs"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { build } from "esbuild"

const here = fileURLToPath(new URL(".", import.meta.url))

/** Returns the license of Preact. The license requires that the bundled script contains it. */
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

/** Returns the source of a module that exports the texts. The built package contains this module instead of the bundler. */
export const moduleOf = (texts) =>
  Object.entries(texts)
    .map(([name, text]) => `export const ${name} = ${JSON.stringify(text)}\n`)
    .join("")
