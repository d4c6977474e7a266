/** Arguments in the order in which the library for command lines can read them. */

/**
 * Puts what concerns every command in front: the library takes `--help` and `--log-level` only before a command's
 * own options. After `--help` nothing else counts.
 */
export const inOrder = (args: ReadonlyArray<string>): ReadonlyArray<string> => {
  const end = args.indexOf("--")
  const [mine, forced] = end === -1 ? [args, []] : [args.slice(0, end), args.slice(end)]
  if (mine.some((arg) => arg === "--help" || arg === "-h")) {
    return [...mine.slice(0, 1).filter((arg) => !arg.startsWith("-")), "--help"]
  }
  const at = mine.findIndex((arg) => arg === "--log-level" || arg.startsWith("--log-level="))
  if (at === -1) return args
  const taken = mine[at] === "--log-level" ? 2 : 1
  return [...mine.slice(at, at + taken), ...mine.slice(0, at), ...mine.slice(at + taken), ...forced]
}
