import { readFileSync } from "node:fs"

export const readme = readFileSync(new URL("../../README.md", import.meta.url), "utf8")

/** The fenced blocks in these languages, in order. */
export const blocksOf = (...languages: ReadonlyArray<string>) =>
  [...readme.matchAll(/^```(\w+)\n([\s\S]*?)^```/gm)]
    .map(([, language = "", code = ""]) => ({ language, code }))
    .filter(({ language }) => languages.includes(language))

const cellsOf = (row: string) =>
  row
    .split("|")
    .slice(1, -1)
    .map((cell) => cell.trim())

/** The cells of a table, row by row. Its first column has this heading. */
export const tableOf = (heading: string) => {
  const rows = readme.split("\n")
  const body = rows.slice(rows.findIndex((row) => cellsOf(row)[0] === heading) + 2)
  return body
    .slice(
      0,
      body.findIndex((row) => !row.startsWith("|"))
    )
    .map(cellsOf)
}

/** The texts in backticks. */
export const namesIn = (text: string) =>
  [...text.matchAll(/`([^`]+)`/g)].map(([, name = ""]) => name)
