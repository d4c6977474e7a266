/** Events, postings, entries, allocations and carry in memory. */
import * as Effect from "effect/Effect"
import type { RecordEventsResult } from "../../UsageLedgerStore.js"
import type { EntryRow, EventRow, PostingRow } from "../model/rows.js"
import type { EntryId, Tables } from "../tables.js"
import type { Journal } from "./journal.js"
import { entryMapKey, postingMapKey, referenceMapKey, type State } from "./state.js"

/** The largest absolute value of a sum. */
const maxSum = 2n ** 62n

interface Sum extends EntryId {
  readonly tags: string
  readonly quantity: bigint
  readonly events: number
}

const requireThat = (isTrue: boolean, rule: string): void => {
  if (!isTrue) throw new Error(`the ledger's invariant is violated: ${rule}`)
}

/** Adds sums to their entries and allocations. None of the entries may be sealed. */
const addSums = (state: State, journal: Journal, sums: Iterable<Sum>, now: number): void => {
  for (const { events, hour, key, quantity, tags } of sums) {
    requireThat(state.keys.has(key), "an entry has a key")
    const id = entryMapKey({ key, hour })
    const old = state.entries.get(id)
    requireThat(old?.isSealed !== true, "the sum of a sealed entry does not change")
    const entry: EntryRow = {
      key,
      hour,
      isSealed: false,
      quantity: (old?.quantity ?? 0n) + quantity,
      events: (old?.events ?? 0) + events,
      firstAt: old?.firstAt ?? now,
      rounding: 0n
    }
    journal.set(state.entries, id, entry)
    journal.addTo(state.openEntries, id)
    if (tags === "") continue
    const allocations = new Map(state.allocations.get(id))
    allocations.set(tags, (allocations.get(tags) ?? 0n) + quantity)
    journal.set(state.allocations, id, allocations)
  }
}

const hasOverflow = (state: State, sums: Iterable<Sum>): boolean => {
  const totals = new Map<string, bigint>()
  for (const sum of sums) {
    const id = entryMapKey(sum)
    const total = (totals.get(id) ?? state.entries.get(id)?.quantity ?? 0n) + sum.quantity
    totals.set(id, total)
  }
  return [...totals.values()].some((total) => total > maxSum || total < -maxSum)
}

const sealedAmong = (state: State, ids: Iterable<EntryId>): ReadonlyArray<EntryId> => {
  const sealed = new Map<string, EntryId>()
  for (const { hour, key } of ids) {
    const id = entryMapKey({ key, hour })
    if (state.entries.get(id)?.isSealed) sealed.set(id, { key, hour })
  }
  return [...sealed.values()]
}

export const recordEvents = (
  state: State,
  journal: Journal,
  events: ReadonlyArray<EventRow>,
  now: number
): RecordEventsResult => {
  const existing: Array<EventRow> = []
  const fresh: Array<EventRow> = []
  for (const event of events) {
    const stored = state.events.get(event.id)
    if (stored === undefined) fresh.push(event)
    else existing.push(stored)
  }
  const entries = sealedAmong(state, fresh)
  if (entries.length > 0) return { _tag: "Sealed", entries }
  const sums = new Map<string, { -readonly [K in keyof Sum]: Sum[K] }>()
  for (const { hour, key, quantity, tags } of fresh) {
    const id = `${key}/${hour}/${tags}`
    const sum = sums.get(id)
    if (sum === undefined) sums.set(id, { key, hour, tags, quantity: BigInt(quantity), events: 1 })
    else {
      sum.quantity += BigInt(quantity)
      sum.events += 1
    }
  }
  if (hasOverflow(state, sums.values())) return { _tag: "Overflow" }
  for (const event of fresh) journal.set(state.events, event.id, { ...event })
  addSums(state, journal, sums.values(), now)
  return { _tag: "Recorded", existing }
}

export const usageTables = (
  state: State,
  journal: Journal
): Pick<
  Tables,
  | "events"
  | "postings"
  | "addPostings"
  | "ensureEntries"
  | "lockOpenEntries"
  | "entries"
  | "allocations"
  | "carry"
  | "putCarry"
  | "sealEntries"
> => ({
  events: (ids) => Effect.sync(() => ids.flatMap((id) => state.events.get(id) ?? [])),
  postings: ({ cause, references }) =>
    Effect.sync(() =>
      references.flatMap((reference) =>
        (state.postingsByReference.get(referenceMapKey({ cause, reference })) ?? [])
          .flatMap((id) => state.postings.get(id) ?? [])
          .sort(byEntryAndTags)
      )
    ),
  addPostings: (rows, now) =>
    Effect.sync(() => {
      const sealed = sealedAmong(state, rows)
      if (sealed.length > 0) return sealed
      for (const row of rows) {
        const id = postingMapKey(row)
        const old = state.postings.get(id)
        journal.set(state.postings, id, { ...row, quantity: (old?.quantity ?? 0n) + row.quantity })
        if (old !== undefined) continue
        const reference = referenceMapKey(row)
        const ids = state.postingsByReference.get(reference) ?? []
        journal.set(state.postingsByReference, reference, [...ids, id])
      }
      const sums = rows.map((row) => ({ ...row, events: 0 }))
      requireThat(!hasOverflow(state, sums), "a sum is at most 2^62")
      addSums(state, journal, sums, now)
      return []
    }),
  ensureEntries: (rows, now) =>
    Effect.sync(() => {
      const missing = rows.filter((row) => !state.entries.has(entryMapKey(row)))
      addSums(
        state,
        journal,
        missing.map(({ hour, key }) => ({ key, hour, tags: "", quantity: 0n, events: 0 })),
        now
      )
    }),
  lockOpenEntries: ({ beforeHour, hold, limit, lineages, region }) =>
    Effect.sync(() => {
      const found: Array<EntryRow> = []
      const among = lineages === undefined ? undefined : new Set(lineages)
      for (const id of state.openEntries) {
        const entry = state.entries.get(id)
        const key = entry && state.keys.get(entry.key)
        if (entry === undefined || key?.region !== region || entry.hour >= beforeHour) continue
        if (among !== undefined && !among.has(key.lineage)) continue
        if (hold !== undefined && entry.hour >= hold.from && entry.hour < hold.until) continue
        found.push(entry)
      }
      return found.sort(byHour).slice(0, limit)
    }),
  entries: (ids) =>
    Effect.sync(() => ids.flatMap((id) => state.entries.get(entryMapKey(id)) ?? [])),
  allocations: (ids) =>
    Effect.sync(() =>
      ids.flatMap(({ hour, key }) =>
        [...(state.allocations.get(entryMapKey({ key, hour })) ?? [])]
          .sort(byName)
          .map(([tags, quantity]) => ({ key, hour, tags, quantity }))
      )
    ),
  carry: (keys) =>
    Effect.sync(() =>
      [...keys]
        .sort((left, right) => left - right)
        .flatMap((key) =>
          [...(state.carry.get(key) ?? [])]
            .sort(byName)
            .map(([tags, amount]) => ({ key, tags, amount }))
        )
    ),
  putCarry: (rows) =>
    Effect.sync(() => {
      for (const { amount, key, tags } of rows) {
        requireThat(amount <= maxSum && amount >= -maxSum, "a balance is at most 2^62")
        const balances = new Map(state.carry.get(key))
        if (amount === 0n) balances.delete(tags)
        else balances.set(tags, amount)
        journal.set(state.carry, key, balances.size === 0 ? undefined : balances)
      }
    }),
  sealEntries: (rows) =>
    Effect.sync(() => {
      for (const { hour, key, rounding } of rows) {
        const id = entryMapKey({ key, hour })
        const entry = state.entries.get(id)
        if (entry === undefined) continue
        requireThat(!entry.isSealed || entry.rounding === rounding, "nothing sealed changes")
        journal.set(state.entries, id, { ...entry, isSealed: true, rounding })
        journal.deleteFrom(state.openEntries, id)
      }
    })
})

const byEntryAndTags = (left: PostingRow, right: PostingRow): number =>
  left.key - right.key || left.hour - right.hour || (left.tags < right.tags ? -1 : 1)

export const byHour = (left: EntryId, right: EntryId): number =>
  left.hour - right.hour || left.key - right.key

const byName = ([left]: readonly [string, unknown], [right]: readonly [string, unknown]) =>
  left < right ? -1 : left > right ? 1 : 0
