/** The error by which the service says that a call would have succeeded, had it not been a dry run. */
export const dryRunCode = "DryRunOperation"
