/**
 * Writes the API reference to `docs`, as HTML, from the docstrings of every public module.
 *
 *     npm run docs
 */
import { fileURLToPath } from "node:url"
import {
  Application,
  Comment,
  CommentTag,
  Converter,
  MinimalSourceFile,
  ReflectionKind
} from "typedoc"
import ts from "typescript"
import { publicModules } from "./modules.js"

const root = fileURLToPath(new URL("../..", import.meta.url))

const app = await Application.bootstrap({
  // the package has no public repository
  disableSources: true,
  entryPoints: publicModules(root),
  tsconfig: `${root}src/tsconfig.json`,
  basePath: `${root}src`,
  displayBasePath: `${root}src`,
  readme: `${root}README.md`,
  out: `${root}docs`,
  excludeExternals: true,
  excludePrivate: true,
  categorizeByGroup: false,
  navigation: { includeCategories: true },
  githubPages: false,
  hideGenerator: true,
  highlightLanguages: ["go", "ts", "sh", "json", "python"],
  includeVersion: true,
  // types that exist only to show a message of the compiler, and rows of stores, which only this package implements
  intentionallyNotExported: [
    "RejectUnion",
    "RejectUnionAndList",
    "RejectAbsent",
    "internal/tables.ts:Tables",
    "internal/model/rows.ts:EventRow"
  ],
  treatValidationWarningsAsErrors: true
})

const partsOf = (text) =>
  app.converter.parseRawComment(new MinimalSourceFile(text.trim(), root), app.files).content

/** The first comment of a module is its documentation, also without a `@module` tag. */
app.converter.on(Converter.EVENT_CREATE_DECLARATION, (context, reflection) => {
  if (!reflection.kindOf([ReflectionKind.Module, ReflectionKind.Namespace])) return
  const file = context.getSymbolFromReflection(reflection)?.declarations?.find(ts.isSourceFile)
  const [, words = ""] = /^\/\*\*([\s\S]*?)\*\//.exec(file?.text ?? "") ?? []
  const [summary, ...tags] = words.replace(/^ *\* ?/gm, "").split(/^@(?=\w)/m)
  reflection.comment = new Comment(
    partsOf(summary),
    tags.map((tag) => {
      const [name] = tag.split(/\s/, 1)
      return new CommentTag(`@${name}`, partsOf(tag.slice(name.length)))
    })
  )
})

/** The base of a schema class is an expression, which says nothing that its members do not. */
const removeBaseClasses = (context) => {
  for (const reflection of Object.values(context.project.reflections)) {
    for (const one of [reflection, ...(reflection.signatures ?? [])]) {
      delete one.inheritedFrom
      delete one.overwrites
      if (one.kindOf(ReflectionKind.Class)) {
        delete one.extendedTypes
        delete one.typeHierarchy
      }
      one.sources = one.sources?.filter(({ fileName }) => !fileName.includes("node_modules"))
    }
  }
}
// after all other handlers
app.converter.on(Converter.EVENT_RESOLVE_END, removeBaseClasses, -1e9)

const project = await app.convert()
if (project === undefined) process.exit(1)
app.validate(project)
await app.generateOutputs(project)
if (app.logger.hasErrors() || app.logger.hasWarnings()) process.exitCode = 1
