/** Where a text ceases to be JSON. Engines tell it in words of their own, and some only quote. */

/** The position of the first character that cannot be there, or the end, where text is missing. */
export const jsonErrorPosition = (text: string): number => {
  let validLength = 0
  let invalidLength = text.length
  if (isJsonPrefix(text)) return invalidLength
  while (invalidLength - validLength > 1) {
    const middle = (validLength + invalidLength) >> 1
    if (isJsonPrefix(text.slice(0, middle))) validLength = middle
    else invalidLength = middle
  }
  return validLength
}

/** Whether more text could make it JSON: it is at its end that it fails, if at all. */
const isJsonPrefix = (text: string): boolean => {
  try {
    JSON.parse(text)
    return true
  } catch (error) {
    const message = String((error as Error).message)
    const position = /position (\d+)/.exec(message)?.[1]
    return position === undefined
      ? /end of|EOF|Unterminated/.test(message)
      : Number(position) >= text.length
  }
}
