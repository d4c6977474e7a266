import { readdirSync, readFileSync } from "node:fs"
import { dirname, join } from "node:path"
import { fileURLToPath } from "node:url"
import { expect, it } from "@effect/vitest"
import ts from "typescript"

const root = fileURLToPath(new URL("../src/", import.meta.url))
const files = readdirSync(root, { recursive: true, encoding: "utf8" }).filter((file) =>
  /\.tsx?$/.test(file)
)
const textOf = (file: string) => readFileSync(join(root, file), "utf8")
const withoutComments = (code: string) => code.replace(/\/\*[\s\S]*?\*\/|^\s*\/\/.*$/gm, "")

// conventions that the linter has no rule for
it.each([
  ["reads the time from Clock", /\bDate\.now\(|new Date\(\)/],
  ["takes random numbers from Random", /\bMath\.random\(/],
  ["runs no effect", /\b(?:Effect|Runtime)\.run[A-Z]/]
])("the library %s", (_, forbidden) => {
  // the command line is the one module that runs as a process
  const library = files.filter((file) => file !== "bin/main.ts")
  expect(library.length).toBeGreaterThan(40)
  expect(library.filter((file) => forbidden.test(withoutComments(textOf(file))))).toEqual([])
})

/** Imports of every kind: `import type`, `export from` and `import()` as well. */
const importsOf = (file: string): ReadonlyArray<string> =>
  ts
    .preProcessFile(textOf(file), true, true)
    .importedFiles.map(({ fileName }) => fileName)
    .filter((name) => name.startsWith("."))
    .flatMap((name) =>
      [".ts", ".tsx"].map((end) => join(dirname(file), name).replace(/\.js$/, end))
    )
    .filter((imported) => files.includes(imported))

/** Finds the first cycle from each file that has one, as the path that leads back to it. */
const findCycles = (graph: ReadonlyMap<string, ReadonlyArray<string>>) => {
  const finished = new Set<string>()
  const cycles: Array<string> = []
  const visit = (file: string, path: ReadonlyArray<string>): void => {
    const start = path.indexOf(file)
    if (start >= 0) cycles.push([...path.slice(start), file].join(" > "))
    if (start >= 0 || finished.has(file)) return
    for (const imported of graph.get(file) ?? []) visit(imported, [...path, file])
    finished.add(file)
  }
  for (const file of graph.keys()) visit(file, [])
  return cycles
}

it("finds an import cycle", () => {
  const graph = new Map([
    ["a", ["b", "d"]],
    ["b", ["c"]],
    ["c", ["d", "b"]],
    ["d", []]
  ])
  expect(findCycles(graph)).toEqual(["b > c > b"])
})

it("the library has no import cycles", () => {
  const graph = new Map(files.map((file) => [file, importsOf(file)]))
  expect([...graph.values()].flat().length).toBeGreaterThan(300)
  expect(findCycles(graph)).toEqual([])
})
