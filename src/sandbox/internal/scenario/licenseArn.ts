/** The issuer of licenses was seen to be an account that is neither the buyer's nor the seller's. */
const issuer = "123456789012"

/** The ARN of a license, by at most 32 hexadecimal digits. */
export const licenseArnOf = (digits: string): string =>
  `arn:aws:license-manager::${issuer}:license:l-${digits.padStart(32, "0")}`
