/** The exit codes of every command, as its help and the README describe them. */
export const exitCodes = [
  [0, "done; everything was accepted"],
  [1, "it ran, and something was rejected or is not known"],
  [2, "it could not run; nothing was sent"],
  [130, "it was stopped by a signal; `submit` by a second one"]
] as const
