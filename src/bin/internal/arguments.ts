/** Arguments in the order in which the library for command lines can read them. */

/** Options that are followed by no value. */
export const flags: ReadonlySet<string> = new Set([
  "--any-credentials",
  "--dry-run",
  "--json",
  "--quota"
])

/** Whether the argument is a value that belongs to the option before it. */
const isValue = (before: string | undefined) =>
  before !== undefined && /^--./.test(before) && !before.includes("=") && !flags.has(before)

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
  const isOwn = (arg: string, i: number) => arg === "-" && !isValue(rest[i - 1])
  return [...taken, ...rest.filter((arg, i) => !isOwn(arg, i)), ...rest.filter(isOwn), ...forced]
}
