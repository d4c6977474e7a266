import { readdirSync, readFileSync } from "node:fs"
import { fileURLToPath } from "node:url"
import { expect, it } from "@effect/vitest"

const root = fileURLToPath(new URL("../", import.meta.url))

const scanned = ["src", "test", "examples", ".github"]
  .flatMap((folder) =>
    readdirSync(`${root}${folder}`, { recursive: true, encoding: "utf8" }).map(
      (name) => `${folder}/${name}`
    )
  )
  .filter(
    (file) =>
      /\.(?:tsx?|js|css|json|md|yml|csv|py)$/.test(file) &&
      !/^test\/docs\/out\/|node_modules|^test\/vocabulary\.test\.ts$/.test(file)
  )
  .concat("README.md", "CHANGELOG.md")

/** Words of a private language, and the usual term for each. */
const terms: Readonly<Record<string, string>> = {
  "parcels?": "batch",
  "fates?": "resolution",
  "befalls?|befell|befallen": "happens to",
  "misfortunes?": "fault",
  "nobody('s)?|somebody('s)?|whoever": "no caller, a caller",
  "strangers?": "unknown",
  "visitors?": "caller",
  "receptions?|annex|desks?|doors?": "router, routes, handlers, authentication",
  "guests?": "SDK middleware",
  "mends?|mended|mending": "recovery",
  "doubts?": "uncertainty",
  "conceals?|concealed": "redact",
  anew: "again",
  "culprits?": "invalid record",
  "rehearsals?|rehearses?|rehearsed": "dry run",
  "tally|tallies": "summary",
  "licences?|licenced": "license",
  "refusals?|refuses?|refused|refusing": "rejection, reject",
  "(when|if|where) left out|unless given|unless told": "Defaults to ..."
}

/**
 * The network's term with Bun's code for it, and the term of transactions for an
 * outcome that is not known.
 */
const allowed = /\b[Ii]n[ _-]?[Dd]oubt\b|\brefused connection\b|"ConnectionRefused"/g

/** In any case, also as a part of a camelCase name, over the ends of lines in a comment. */
const matcher = (words: string) => {
  const lower = words.replaceAll(" ", "\\s+(?:(?:\\*|//)\\s*)?")
  const capital = lower.replace(/(^|\|)([a-z])/g, (_, start, first) => start + first.toUpperCase())
  return new RegExp(`(?<![A-Za-z])(?:${lower})(?![a-z])|(?:${capital})(?![a-z])`, "g")
}

/** A comment leads with a noun or a verb. */
const clause = /(?:\/\*\*\s*(?:\* )?|^\s*\/\/ )(?:What|Whether|Whoever|So (?:many|much|long))\b/gm

const rules: ReadonlyArray<readonly [name: string, pattern: RegExp]> = [
  ...Object.entries(terms).map(
    ([words, term]) => [`${words} (say: ${term})`, matcher(words)] as const
  ),
  ["a doc comment that leads with a clause", clause]
]

it.each(rules)("no file has %s", (_, pattern) => {
  expect(scanned.length).toBeGreaterThan(200)
  const found = scanned.flatMap((file) => {
    const text = readFileSync(`${root}${file}`, "utf8").replace(allowed, "")
    return [...text.matchAll(pattern)].map(
      ({ 0: match, index }) => `${file}:${text.slice(0, index).split("\n").length} ${match.trim()}`
    )
  })
  expect(found).toEqual([])
})
