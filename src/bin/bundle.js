// Bundles the command with its dependencies into one file, which runs without installation.
//
//     node src/bin/bundle.js [FILE]
import { readdirSync, readFileSync, writeFileSync } from "node:fs"
import { dirname, join } from "node:path"
import { fileURLToPath } from "node:url"
import { build } from "esbuild"
import { buildPages, moduleOf } from "../sandbox/internal/pages/build.js"

const root = join(dirname(fileURLToPath(import.meta.url)), "../..")
const outfile = process.argv[2] ?? join(root, "dist/bin/effect-marketplace-metering.js")

/** Bundles the sandbox's pages as texts. */
const pages = {
  name: "pages",
  setup: ({ onLoad, onResolve }) => {
    onResolve({ filter: /^#pages$/ }, () => ({ path: "pages", namespace: "pages" }))
    onLoad({ filter: /.*/, namespace: "pages" }, async () => ({
      contents: moduleOf(await buildPages())
    }))
  }
}

const { metafile } = await build({
  entryPoints: [join(root, "src/bin/main.ts")],
  absWorkingDir: root,
  outfile,
  bundle: true,
  platform: "node",
  format: "esm",
  target: "node20.19",
  // only the ES modules of the SDK can be tree-shaken
  mainFields: ["module", "main"],
  minifySyntax: true,
  minifyWhitespace: true,
  // identifiers are not minified, so that stack traces stay readable
  metafile: true,
  legalComments: "none",
  logLevel: "warning",
  // packages that the application installs if it uses them
  external: ["pg"],
  plugins: [pages],
  // CommonJS dependencies require Node's modules
  banner: {
    js: 'import{createRequire as createRequire_}from"node:module";const require=createRequire_(import.meta.url);'
  }
})

/** The folders of the bundled packages. */
const packages = new Set(
  Object.entries(metafile.outputs)
    .flatMap(([, { inputs }]) => Object.entries(inputs))
    .filter(([, { bytesInOutput }]) => bytesInOutput > 0)
    .flatMap(([path]) => /^.*node_modules\/(?:@[^/]+\/)?[^/]+/.exec(path) ?? [])
)

/** Collects the license texts, as they require: each text once, with its packages. */
const byText = new Map()
for (const folder of [...packages].sort()) {
  const { license, name, version } = JSON.parse(
    readFileSync(join(root, folder, "package.json"), "utf8")
  )
  const file = readdirSync(join(root, folder)).find((name) => /^licen[cs]e/i.test(name))
  const text = file === undefined ? license : readFileSync(join(root, folder, file), "utf8").trim()
  byText.set(text, [...(byText.get(text) ?? []), `${name} ${version}`])
}
const notices = [...byText].map(([text, names]) => `${names.join(", ")}\n\n${text}`)
const notice = `This file holds these packages.\n\n${notices.join(`\n\n${"-".repeat(80)}\n\n`)}`
writeFileSync(
  outfile,
  `${readFileSync(outfile, "utf8")}\n/*\n${notice.replaceAll("*/", "* /")}\n*/\n`,
  { mode: 0o755 }
)
