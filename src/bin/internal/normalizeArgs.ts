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
const isOptionValue = (before: string | undefined) =>
  before !== undefined && /^--./.test(before) && !before.includes("=") && !flags.has(before)

const masked = "(not shown)"

/** The options of `resolve` that have a value. */
const resolveValueOptions = new Set(["--region", "--endpoint", "--profile"])

/**
 * The arguments of `resolve` without what may be a token that was given as one: the library repeats arguments that
 * it does not know.
 */
const maskTokens = (args: ReadonlyArray<string>): ReadonlyArray<string> => {
  let files = 0
  return args.map((arg, i) => {
    const before = args[i - 1]
    if (i === 0 || (before !== undefined && resolveValueOptions.has(before))) return arg
    if (/^--./.test(arg)) {
      const [name = arg] = arg.split("=", 1)
      return resolveValueOptions.has(name) || flags.has(name) ? arg : name
    }
    files += 1
    const isUnknownOptionValue = isOptionValue(before) && before !== undefined
    return files > 1 || isUnknownOptionValue ? masked : arg
  })
}

/**
 * Puts what concerns every command in front, and `-` at the end: the library takes `--help` and `--log-level` only
 * before a command's own options, and no option after a `-` that is an argument of its own. After `--help` nothing else counts.
 */
export const normalizeArgs = (args: ReadonlyArray<string>): ReadonlyArray<string> => {
  const end = args.indexOf("--")
  const [ownArgs, afterDashes] = end === -1 ? [args, []] : [args.slice(0, end), args.slice(end)]
  if (ownArgs.some((arg) => arg === "--help" || arg === "-h")) {
    return [...ownArgs.slice(0, 1).filter((arg) => !arg.startsWith("-")), "--help"]
  }
  const at = ownArgs.findIndex((arg) => arg === "--log-level" || arg.startsWith("--log-level="))
  const logLevelArgs =
    at === -1 ? [] : ownArgs.slice(at, ownArgs[at] === "--log-level" ? at + 2 : at + 1)
  const rest = ownArgs.filter((_, i) => i < at || i >= at + logLevelArgs.length)
  const maskedArgs = rest[0] === "resolve" ? maskTokens(rest) : rest
  const isStandardInputArg = (arg: string, i: number) =>
    arg === "-" && !isOptionValue(maskedArgs[i - 1])
  return [
    ...logLevelArgs,
    ...maskedArgs.filter((arg, i) => !isStandardInputArg(arg, i)),
    ...maskedArgs.filter(isStandardInputArg),
    ...afterDashes
  ]
}
