/** Arguments in the order in which the library for command lines can read them. */

/** Options that are followed by no value. */
export const flags: ReadonlySet<string> = new Set([
  "--any-credentials",
  "--dry-run",
  "--json",
  "--quota",
  "--verbose"
])

/** Whether the argument is a value that belongs to the option before it. */
const isValue = (before: string | undefined) =>
  before !== undefined && /^--./.test(before) && !before.includes("=") && !flags.has(before)

const notShown = "(not shown)"

/** The options of `resolve` that have a value. */
const valuesOfResolve = new Set(["--region", "--endpoint", "--profile"])

/**
 * The arguments of `resolve` without what may be a token that was given as one: the library repeats arguments that
 * it does not know.
 */
const discreet = (args: ReadonlyArray<string>): ReadonlyArray<string> => {
  let files = 0
  return args.map((arg, i) => {
    const before = args[i - 1]
    if (i === 0 || (before !== undefined && valuesOfResolve.has(before))) return arg
    if (/^--./.test(arg)) {
      const [name = arg] = arg.split("=", 1)
      return valuesOfResolve.has(name) || flags.has(name) ? arg : name
    }
    files += 1
    const isOfUnknown = isValue(before) && before !== undefined
    return files > 1 || isOfUnknown ? notShown : arg
  })
}

/**
 * Puts what concerns every command in front, and `-` at the end: the library takes `--help` and `--log-level` only
 * before a command's own options, and no option after a `-` that is an argument of its own. After `--help` nothing else counts.
 */
export const inOrder = (args: ReadonlyArray<string>): ReadonlyArray<string> => {
  const end = args.indexOf("--")
  const [mine, forced] = end === -1 ? [args, []] : [args.slice(0, end), args.slice(end)]
  if (mine.some((arg) => arg === "--help" || arg === "-h")) {
    return [...mine.slice(0, 1).filter((arg) => !arg.startsWith("-")), "--help"]
  }
  const at = mine.findIndex((arg) => arg === "--log-level" || arg.startsWith("--log-level="))
  const taken = at === -1 ? [] : mine.slice(at, mine[at] === "--log-level" ? at + 2 : at + 1)
  const rest = mine.filter((_, i) => i < at || i >= at + taken.length)
  const said = rest[0] === "resolve" ? discreet(rest) : rest
  const isOwn = (arg: string, i: number) => arg === "-" && !isValue(said[i - 1])
  return [...taken, ...said.filter((arg, i) => !isOwn(arg, i)), ...said.filter(isOwn), ...forced]
}
