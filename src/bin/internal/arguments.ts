/** Arguments in the order in which the library for command lines can read them. */

/**
 * Puts what concerns every command in front, and `-` at the end: the library takes `--help` and `--log-level` only
 * before a command's own options, and no option after a `-`. After `--help` nothing else counts.
 */
export const inOrder = (args: ReadonlyArray<string>): ReadonlyArray<string> => {
  const end = args.indexOf("--")
  const [mine, forced] = end === -1 ? [args, []] : [args.slice(0, end), args.slice(end)]
  if (mine.some((arg) => arg === "--help" || arg === "-h")) {
    return [...mine.slice(0, 1).filter((arg) => !arg.startsWith("-")), "--help"]
  }
  const at = mine.findIndex((arg) => arg === "--log-level" || arg.startsWith("--log-level="))
  const taken = at === -1 ? [] : mine.slice(at, mine[at] === "--log-level" ? at + 2 : at + 1)
  const rest = mine.filter((arg, i) => arg !== "-" && (i < at || i >= at + taken.length))
  return [...taken, ...rest, ...mine.filter((arg) => arg === "-"), ...forced]
}
