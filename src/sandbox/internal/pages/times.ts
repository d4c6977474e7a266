/** Formats and parses times for the pages, always in UTC. */

export const millisPerHour = 3_600_000

/** Formats a time, such as `2026-11-25 10:30:07`. */
export const formatTime = (iso: string): string => iso.slice(0, 19).replace("T", " ")

/** Formats an hour, such as `2026-11-25 10:00`. */
export const formatHour = (iso: string): string => iso.slice(0, 16).replace("T", " ")

/** Reads the value of a `datetime-local` input as a time in UTC. */
export const fromLocalField = (value: string): string => new Date(`${value}Z`).toISOString()

/** Returns the value of a `datetime-local` input for a time, in UTC. */
export const toLocalField = (iso: string): string => iso.slice(0, 16)
