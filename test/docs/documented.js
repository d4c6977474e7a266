// Fails if something public is not documented: a module or an export without a sentence, `@since` or `@category`, or a
// member of an interface that neither has a sentence nor is named in the docs of the interface.
import { dirname, join, relative } from "node:path"
import { fileURLToPath } from "node:url"
import ts from "typescript"
import { publicModules } from "./modules.js"

const root = join(dirname(fileURLToPath(import.meta.url)), "../..")
const { config } = ts.readConfigFile(join(root, "tsconfig.json"), ts.sys.readFile)
const { options } = ts.parseJsonConfigFileContent(config, ts.sys, root)
const program = ts.createProgram(publicModules(root), options)
const checker = program.getTypeChecker()

const problems = []
const seen = new Set()

/** The doc comment of a node: the last one before it. The names of an export list share one. */
const docOf = (node) =>
  ts.getJSDocCommentsAndTags(node).filter(ts.isJSDoc).at(-1) ??
  (ts.isExportSpecifier(node) ? docOf(node.parent.parent) : undefined)
const sentenceOf = (doc) => ts.getTextOfJSDocComment(doc?.comment)?.trim() ?? ""
const has = (doc, tag) => doc?.tags?.some(({ tagName }) => tagName.text === tag) === true

const placeOf = (node) => {
  const file = node.getSourceFile()
  const { line } = file.getLineAndCharacterOfPosition(node.getStart())
  return `${relative(root, file.fileName)}:${line + 1}`
}
const report = (node, problem) => problems.push(`${placeOf(node)}: ${problem}`)

const checkModule = (file) => {
  if (seen.has(file)) return
  seen.add(file)
  const [range] = ts.getLeadingCommentRanges(file.text, 0) ?? []
  const head = range === undefined ? "" : file.text.slice(range.pos, range.end)
  if (!/^\/\*\*\s*\* \w/.test(head)) report(file, "the module does not begin with a sentence")
  if (!/@since \d/.test(head)) report(file, "the module lacks @since")
  for (const symbol of checker.getExportsOfModule(checker.getSymbolAtLocation(file))) {
    checkExport(symbol)
  }
}

const checkExport = (symbol) => {
  const isAlias = (symbol.flags & ts.SymbolFlags.Alias) !== 0
  const target = isAlias ? checker.getAliasedSymbol(symbol) : symbol
  const declarations = target.getDeclarations() ?? []
  const module = declarations.find(ts.isSourceFile)
  if (module !== undefined) return checkModule(module)
  // an export of another module's value may be documented in either module
  const specifiers = isAlias ? (symbol.getDeclarations() ?? []) : []
  const documents = specifiers.map(docOf).filter((doc) => doc !== undefined)
  const nodes = documents.length > 0 ? specifiers : declarations
  if (!nodes.some((node) => sentenceOf(docOf(node)) !== "")) {
    report(nodes[0], `${symbol.name} has no sentence`)
  }
  for (const node of nodes) {
    for (const tag of ["since", "category"]) {
      if (!has(docOf(node), tag)) report(node, `${symbol.name} lacks @${tag}`)
    }
  }
  for (const node of declarations.filter(ts.isInterfaceDeclaration)) checkMembers(node)
}

const checkMembers = (node) => {
  const docs = node.getFullText().slice(0, node.getLeadingTriviaWidth())
  const nameOf = (member) => member.name?.getText()
  // one of several overloads is enough
  const documented = new Set(
    node.members.filter((member) => sentenceOf(docOf(member)) !== "").map(nameOf)
  )
  for (const member of node.members) {
    const name = nameOf(member)
    if (
      name !== undefined &&
      name !== "_tag" &&
      !documented.has(name) &&
      !docs.includes(`\`${name}\``)
    ) {
      report(member, `${node.name.text}.${name} is not documented`)
    }
  }
}

for (const file of publicModules(root)) checkModule(program.getSourceFile(file))

if (problems.length > 0) {
  console.error(`Not documented:\n${problems.join("\n")}`)
  process.exitCode = 1
}
