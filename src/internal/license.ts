/** The id of a license. AWS prints the ARN of one license in several forms: with and without `arn:`, account or Region. */

/** The last part of the ARN in lower case. Undefined for a text without an id. */
export const licenseId = (arn: string): string | undefined =>
  /(?:^|[:/])(l-[0-9a-z]{1,64})$/i.exec(arn)?.[1]?.toLowerCase()

/** The id of a license, or a text without an id itself. */
export const licenseKey = (arn: string): string => licenseId(arn) ?? arn

export const isSameLicense = (a: string, b: string): boolean => licenseKey(a) === licenseKey(b)
