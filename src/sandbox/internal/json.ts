/** Where a text ceases to be JSON. Engines tell it in words of their own, and some only quote. */

/** The position of the first character that cannot be there, or the end, where text is missing. */
export const positionOfFault = (text: string): number => {
  let good = 0
  let bad = text.length
  if (isBeginning(text)) return bad
  while (bad - good > 1) {
    const middle = (good + bad) >> 1
    if (isBeginning(text.slice(0, middle))) good = middle
    else bad = middle
  }
  return good
}

/** Whether more text could make it JSON: it is at its end that it fails, if at all. */
const isBeginning = (text: string): boolean => {
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
