/** Takes secrets out of text that someone else wrote. */

/** So much of a secret is enough to find it by, even where what follows was cut off. */
const recognisable = 12

/** What is shorter is an ordinary word, and hiding it would only garble the text. */
const shortest = 8

/**
 * Replaces each secret, and what begins like one, up to the next white space, quote or bracket. The secrets are asked
 * for only when there is a text to search.
 */
export const concealer =
  (secrets: () => ReadonlyArray<string | undefined>) =>
  (text: string): string =>
    secrets()
      .flatMap((secret = "") =>
        secret.length < shortest ? [] : [secret, encodeURIComponent(secret)]
      )
      .reduce((shown, secret) => {
        const start = secret.slice(0, recognisable)
        return shown
          .split(start)
          .map((part, i) =>
            i === 0 ? part : `<redacted>${part.replace(/^[^\s"'<>()[\]{}]*/, "")}`
          )
          .join("")
      }, text)
