/** Times of the sandbox as a reader sees them: UTC, in the order of ISO 8601. */

export const millisPerHour = 3_600_000

/** Such as `2026-11-25 10:30:07`. */
export const formatTime = (iso: string): string => iso.slice(0, 19).replace("T", " ")

/** Such as `2026-11-25 10:00`. */
export const formatHour = (iso: string): string => iso.slice(0, 16).replace("T", " ")

/** The time of a field `datetime-local`, read as UTC. */
export const fromLocalField = (value: string): string => new Date(`${value}Z`).toISOString()

/** The value of a field `datetime-local` for a time, in UTC. */
export const toLocalField = (iso: string): string => iso.slice(0, 16)
