/** Tags of usage allocations, stored as a canonical text, so that equal sets of tags have the same text. */
import * as Either from "effect/Either"

/** No tags. */
export const untagged = ""

/** Maximum number of tags in a set, and of tag keys of a product. */
export const maxTags = 5

/** The characters that the service allows in keys and values. */
const allowed = /^[a-zA-Z0-9+ -=._:\\/@]*$/

/**
 * Encodes a set of tags as canonical text. Fails with a description of the valid tags.
 *
 * @see https://docs.aws.amazon.com/marketplace/latest/APIReference/API_marketplace-metering_Tag.html
 */
export const canonical = (
  tags: { readonly [key: string]: string } | undefined,
  allowedKeys: ReadonlyArray<string>
): Either.Either<string, string> => {
  if (tags === undefined) return Either.right(untagged)
  const keys = Object.keys(tags).sort()
  if (keys.length === 0) return Either.right(untagged)
  if (keys.length > maxTags) return Either.left(`at most ${maxTags} tags`)
  const pairs: Array<readonly [string, string]> = []
  for (const key of keys) {
    const value = tags[key]
    if (!allowedKeys.includes(key)) {
      return Either.left(
        allowedKeys.length === 0
          ? "no tags, since the product declares no tagKeys"
          : `keys among the product's tagKeys: ${allowedKeys.join(", ")}`
      )
    }
    if (typeof value !== "string" || value.length > maxValue || !allowed.test(value)) {
      return Either.left(
        `values of at most ${maxValue} characters of a-z A-Z 0-9 + - = . _ : \\ / @ and spaces`
      )
    }
    pairs.push([key, value])
  }
  return Either.right(JSON.stringify(pairs))
}

/** Returns the keys of a canonical text, which must not be empty. */
export const keysOf = (tags: string): ReadonlyArray<string> =>
  (JSON.parse(tags) as ReadonlyArray<readonly [string, string]>).map(([key]) => key)

const maxKey = 100
const maxValue = 256

/** Returns the rule that the declared keys of a product violate, or `undefined`. */
export const keysViolation = (keys: ReadonlyArray<string>): string | undefined =>
  keys.length > maxTags
    ? `at most ${maxTags} keys`
    : keys.every((key) => key.length > 0 && key.length <= maxKey && allowed.test(key)) &&
        new Set(keys).size === keys.length
      ? undefined
      : `different keys of 1 to ${maxKey} characters of a-z A-Z 0-9 + - = . _ : \\ / @ and spaces`
