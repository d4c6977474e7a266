/** The code of the error that reports a successful dry run. */
export const dryRunCode = "DryRunOperation"
