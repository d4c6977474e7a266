/** The id of a license. AWS prints the ARN of one license in several forms: with and without `arn:`, account or Region. */

/** Returns the last part of the ARN in lower case, or `undefined` if it is not an id. */
export const licenseId = (arn: string): string | undefined =>
  /(?:^|[:/])(l-[0-9a-z]{1,64})$/i.exec(arn)?.[1]?.toLowerCase()

/** Returns the id of a license, or the text itself if it has no id. */
export const licenseKey = (arn: string): string => licenseId(arn) ?? arn

export const isSameLicense = (a: string, b: string): boolean => licenseKey(a) === licenseKey(b)
