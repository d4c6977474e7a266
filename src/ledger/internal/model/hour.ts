/** Hours as whole numbers since 1970, UTC. */

export const millisPerHour = 3_600_000

export const hourOf = (millis: number): number => Math.floor(millis / millisPerHour)

export const startOf = (hour: number): number => hour * millisPerHour

/** The start of the month after the one of this time, in epoch milliseconds. */
export const startOfNextMonth = (millis: number): number => {
  const date = new Date(millis)
  return Date.UTC(date.getUTCFullYear(), date.getUTCMonth() + 1, 1)
}

/** The hours of a month such as `2026-11`, the end exclusive. Undefined for another text. */
export const hoursOfMonth = (
  month: string
): { readonly from: number; readonly until: number } | undefined => {
  const match = /^(\d{4})-(0[1-9]|1[0-2])$/.exec(month)
  if (match === null) return undefined
  const from = Date.UTC(Number(match[1]), Number(match[2]) - 1, 1)
  return { from: hourOf(from), until: hourOf(startOfNextMonth(from)) }
}
