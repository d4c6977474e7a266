/** The account that issues licenses. AWS was observed to use an account of neither the buyer nor the seller. */
const issuer = "123456789012"

/** Returns the ARN of a license. `digits` are at most 32 hexadecimal digits. */
export const licenseArnOf = (digits: string): string =>
  `arn:aws:license-manager::${issuer}:license:l-${digits.padStart(32, "0")}`
