/** Plants mutants in copies of the sources, and expects that each is noticed. */
import { execFile } from "node:child_process"
import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs"
import { availableParallelism, tmpdir } from "node:os"
import { dirname, join } from "node:path"
import { fileURLToPath } from "node:url"

const root = join(dirname(fileURLToPath(import.meta.url)), "../..")

const copyOfSources = () => {
  const copy = mkdtempSync(join(tmpdir(), "mutants-"))
  for (const name of ["src", "test", "package.json", "tsconfig.json"]) {
    cpSync(join(root, name), join(copy, name), { recursive: true })
  }
  symlinkSync(join(root, "node_modules"), join(copy, "node_modules"))
  return copy
}

/** Runs Node.js in a copy, and returns what it prints, also if it fails. */
export const runIn = (copy, args) =>
  new Promise((resolve) => {
    execFile(
      process.execPath,
      args,
      { cwd: copy, maxBuffer: 1e9, env: { ...process.env, PLANTED: "yes" } },
      (_, stdout, stderr) => resolve({ stdout, stderr })
    )
  })

/** The first test that fails and its failed assertion, or undefined. Throws if the tests do not run. */
export const failedTest = async (copy, tests, args = []) => {
  const { stderr, stdout } = await runIn(copy, [
    join(root, "node_modules/vitest/vitest.mjs"),
    ...["run", "--config", "test/vitest.config.ts", "--bail=1", "--reporter=json"],
    ...args,
    ...tests
  ])
  const start = stdout.indexOf("{")
  const { numTotalTests, testResults } =
    start < 0 ? { numTotalTests: 0, testResults: [] } : JSON.parse(stdout.slice(start))
  if (!(numTotalTests > 0)) {
    throw new Error(`the tests do not run:\n${stdout.slice(0, 2000)}${stderr.slice(0, 2000)}`)
  }
  const failed = testResults
    .flatMap(({ assertionResults }) => assertionResults)
    .find(({ status }) => status === "failed")
  if (failed === undefined) return undefined
  const [message] = failed.failureMessages
  const assertion = /(?:AssertionError|Got \w+): ([^\n]*)/.exec(message)?.[1] ?? message
  return `${failed.title}\n      ${assertion.slice(0, 110)}`
}

/**
 * The suite of a folder of sources. Each of `listed` is a name, the file of its tests, and edits: a file from that folder, a
 * text, and its replacement.
 */
export const suiteOf = (folder, listed) => {
  const mutants = listed.map(([name, tests, ...edits]) => ({
    name,
    tests: [tests],
    edits: edits.map(([file, ...edit]) => [join(folder, file), ...edit])
  }))
  return {
    suite: folder,
    mutants,
    failureBefore: (copy) => failedTest(copy, [...new Set(mutants.flatMap(({ tests }) => tests))]),
    failureIn: (copy, { tests }) => failedTest(copy, tests)
  }
}

/**
 * Plants the mutants of these suites one by one, two and more at a time by the number of cores, and prints the reason for which
 * each was noticed. Sets the exit code if one was not noticed. Fails if a test fails without a mutant, or if the text of a
 * mutant does not stand in the sources exactly once.
 *
 * Without `part` all, else those of the suite of this name, or with a name that contains it.
 *
 * A suite has `mutants` and `failureIn(copy, mutant)`, the reason or undefined, and `failureBefore(copy)`, the same without
 * a mutant. A mutant is a name and its `edits`: a file below `src`, a text, and its replacement.
 */
export const runMutants = async (suites, part = "") => {
  const queue = suites.flatMap(({ failureBefore, failureIn, mutants, suite }) => {
    const wanted = suite === part ? mutants : mutants.filter(({ name }) => name.includes(part))
    if (wanted.length === 0) return []
    let before
    const isSound = (copy) => (before ??= failureBefore(copy))
    return wanted.map((mutant) => ({ mutant, failureIn, isSound }))
  })

  const plant = async (copy, { failureIn, isSound, mutant }) => {
    const { edits, name } = mutant
    const reason = await isSound(copy)
    if (reason !== undefined) throw new Error(`a test fails without a mutant:\n    ${reason}`)
    const originals = new Map()
    for (const [file, text, replacement] of edits) {
      const path = join(copy, "src", file)
      const code = readFileSync(path, "utf8")
      if (code.split(text).length !== 2) {
        throw new Error(`cannot plant "${name}": expected ${file} to contain once: ${text}`)
      }
      if (!originals.has(path)) originals.set(path, code)
      writeFileSync(
        path,
        code.replace(text, () => replacement)
      )
    }
    const failure = await failureIn(copy, mutant)
    for (const [path, code] of originals) writeFileSync(path, code)
    if (failure === undefined) process.exitCode = 1
    console.log(failure === undefined ? `NOT NOTICED: ${name}` : `noticed: ${name}\n    ${failure}`)
  }

  const copies = Array.from({ length: availableParallelism() }, copyOfSources)
  try {
    const ends = await Promise.allSettled(
      copies.map(async (copy) => {
        for (let next = queue.shift(); next !== undefined; next = queue.shift()) {
          await plant(copy, next)
        }
      })
    )
    for (const { reason, status } of ends) if (status === "rejected") throw reason
  } finally {
    for (const copy of copies) rmSync(copy, { recursive: true, force: true })
  }
}
