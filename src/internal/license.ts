/** The id of a license. AWS prints the ARN of one license in several forms: with and without `arn:`, account or Region. */

/** The last part of the ARN in lower case. Undefined for a text without an id. */
export const licenseId = (arn: string): string | undefined =>
  /(?:^|[:/])(l-[0-9a-z]{1,64})$/i.exec(arn)?.[1]?.toLowerCase()

/** Texts without an id are equal only if they are identical. */
export const isSameLicense = (a: string, b: string): boolean =>
  (licenseId(a) ?? a) === (licenseId(b) ?? b)
