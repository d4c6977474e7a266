/** Hours as integers: the number of hours since 1970-01-01T00:00Z. */

export const millisPerHour = 3_600_000

export const hourOf = (millis: number): number => Math.floor(millis / millisPerHour)

export const startOf = (hour: number): number => hour * millisPerHour

/** Returns the start of the next month, in epoch milliseconds. */
export const startOfNextMonth = (millis: number): number => {
  const date = new Date(millis)
  return Date.UTC(date.getUTCFullYear(), date.getUTCMonth() + 1, 1)
}

/** Returns the hours of a month such as `2026-11`, the end exclusive. Returns `undefined` if the text is not a month. */
export const hoursOfMonth = (
  month: string
): { readonly from: number; readonly until: number } | undefined => {
  const match = /^(\d{4})-(0[1-9]|1[0-2])$/.exec(month)
  if (match === null) return undefined
  const from = Date.UTC(Number(match[1]), Number(match[2]) - 1, 1)
  return { from: hourOf(from), until: hourOf(startOfNextMonth(from)) }
}
