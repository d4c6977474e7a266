/** Lists, counts and checks in memory. */
import * as Effect from "effect/Effect"
import type { EntryRow, KeyRow, RecordRow } from "../model/rows.js"
import type { Difference, EntryFilter, EntryId, EntryView, StateCount, Tables } from "../tables.js"
import { entryMapKey, type State } from "./state.js"
import { byHour } from "./usage.js"

export const readingTables = (
  state: State
): Pick<
  Tables,
  | "entryPage"
  | "history"
  | "stateCounts"
  | "hourlyCounts"
  | "carryOver"
  | "lastActivityAt"
  | "verifySums"
  | "keyTotals"
> => {
  const keyOf = ({ key }: EntryId) => state.keys.get(key) as KeyRow
  const recordOf = (id: EntryId): RecordRow | undefined =>
    state.records.get(state.recordsByEntry.get(entryMapKey(id)) ?? 0)
  const stateOf = (entry: EntryRow) =>
    entry.isSealed ? (recordOf(entry)?.state ?? "zero") : "open"

  return {
    entryPage: (filter, after, limit) =>
      Effect.sync(() => {
        const found: Array<EntryRow> = []
        for (const entry of state.entries.values()) {
          if (after !== undefined && byHour(entry, after) <= 0) continue
          if (matches(filter, entry, keyOf(entry), stateOf(entry))) found.push(entry)
        }
        return found
          .sort(byHour)
          .slice(0, limit)
          .map(
            (entry): EntryView => ({
              entry,
              key: keyOf(entry),
              record: entry.isSealed ? recordOf(entry) : undefined
            })
          )
      }),
    history: (ids) =>
      Effect.sync(() => ids.flatMap((id) => state.history.get(entryMapKey(id)) ?? [])),
    stateCounts: (acceptedFromHour) =>
      Effect.sync(() => {
        const counts = new Map<string, { -readonly [K in keyof StateCount]: StateCount[K] }>()
        const add = (
          { product, region }: Pick<KeyRow, "region" | "product">,
          name: StateCount["state"],
          hour: number,
          deadline: number | undefined
        ) => {
          const id = JSON.stringify([region, product, name])
          const count = counts.get(id)
          if (count === undefined) {
            counts.set(id, {
              region,
              product,
              state: name,
              count: 1,
              oldestHour: hour,
              nextDeadline: deadline
            })
            return
          }
          count.count += 1
          count.oldestHour = Math.min(count.oldestHour, hour)
          if (deadline !== undefined) {
            count.nextDeadline = Math.min(count.nextDeadline ?? deadline, deadline)
          }
        }
        for (const id of state.openEntries) {
          const entry = state.entries.get(id)
          if (entry !== undefined) add(keyOf(entry), "open", entry.hour, undefined)
        }
        for (const record of state.records.values()) {
          if (record.state === "accepted" && record.hour < acceptedFromHour) continue
          add(
            record,
            record.state,
            record.hour,
            record.resolvedAt === undefined ? record.deadline : undefined
          )
        }
        return [...counts]
          .sort(([left], [right]) => (left < right ? -1 : 1))
          .map(([, count]) => count)
      }),
    hourlyCounts: (fromHour) =>
      Effect.sync(() => {
        const counts = new Map<string, number>()
        for (const entry of state.entries.values()) {
          if (entry.hour < fromHour) continue
          const id = JSON.stringify([entry.hour, keyOf(entry).product, stateOf(entry)])
          counts.set(id, (counts.get(id) ?? 0) + 1)
        }
        return [...counts]
          .map(([id, entries]) => {
            const [hour, product, name] = JSON.parse(id)
            return { product, hour, state: name, entries }
          })
          .sort(
            (left, right) =>
              left.hour - right.hour ||
              (left.product < right.product
                ? -1
                : left.product > right.product
                  ? 1
                  : left.state < right.state
                    ? -1
                    : 1)
          )
      }),
    carryOver: (units, limit) =>
      Effect.sync(() =>
        [...state.carry]
          .sort(([left], [right]) => left - right)
          .flatMap(([key, balances]) => {
            const { dimension, lineage, product, scale } = keyOf({ key, hour: 0 })
            return [...balances]
              .filter(([, amount]) => amount / 10n ** BigInt(scale) >= BigInt(units))
              .sort(([left], [right]) => (left < right ? -1 : 1))
              .map(([tags, amount]) => ({ key, tags, amount, scale, product, dimension, lineage }))
          })
          .slice(0, limit)
      ),
    lastActivityAt: Effect.sync(() => state.lastActivityAt),
    verifySums: (after, limit) =>
      Effect.sync(() => {
        const entries = [...state.entries.values()]
          .filter((entry) => after === undefined || byKey(entry, after) > 0)
          .sort(byKey)
          .slice(0, limit)
        const sums = new Map<string, bigint>()
        const add = (id: string, amount: bigint) => sums.set(id, (sums.get(id) ?? 0n) + amount)
        const wanted = new Set(entries.map(entryMapKey))
        for (const row of [...state.events.values(), ...state.postings.values()]) {
          const id = entryMapKey(row)
          if (!wanted.has(id)) continue
          add(`${id} quantity`, BigInt(row.quantity))
          if ("id" in row) add(`${id} events`, 1n)
          if (row.tags !== "") add(`${id} allocation ${row.tags}`, BigInt(row.quantity))
        }
        const differences: Array<Difference> = []
        const compare = (
          { hour, key }: EntryId,
          what: Difference["what"],
          tags: string | undefined,
          stored: bigint
        ) => {
          const id = `${entryMapKey({ key, hour })} ${what}${tags === undefined ? "" : ` ${tags}`}`
          const computed = sums.get(id) ?? 0n
          sums.delete(id)
          if (stored !== computed) differences.push({ key, hour, what, tags, stored, computed })
        }
        for (const entry of entries) {
          compare(entry, "quantity", undefined, entry.quantity)
          compare(entry, "events", undefined, BigInt(entry.events))
          for (const [tags, quantity] of state.allocations.get(entryMapKey(entry)) ?? []) {
            compare(entry, "allocation", tags, quantity)
          }
        }
        const end = entries.at(-1)
        return {
          differences,
          last:
            end === undefined || entries.length < limit
              ? undefined
              : { key: end.key, hour: end.hour }
        }
      }),
    keyTotals: (after, limit) =>
      Effect.sync(() => {
        const keys = [...state.keys.values()]
          .filter(({ id }) => id > (after ?? 0))
          .sort((left, right) => left.id - right.id)
          .slice(0, limit)
        const totals = new Map(
          keys.map((key) => [
            key.id,
            { key, recorded: 0n, open: 0n, billed: 0n, carry: 0n, rounding: 0n }
          ])
        )
        const add = (
          key: number,
          name: "recorded" | "open" | "billed" | "carry" | "rounding",
          amount: bigint
        ) => {
          const total = totals.get(key)
          if (total !== undefined) total[name] += amount
        }
        for (const event of state.events.values())
          add(event.key, "recorded", BigInt(event.quantity))
        for (const posting of state.postings.values()) {
          if (posting.cause !== "forward") add(posting.key, "recorded", posting.quantity)
        }
        for (const entry of state.entries.values()) {
          if (!entry.isSealed) add(entry.key, "open", entry.quantity)
          add(entry.key, "rounding", entry.rounding)
        }
        for (const record of state.records.values()) {
          if (record.carriedAt === undefined) add(record.key, "billed", BigInt(record.quantity))
        }
        for (const [key, balances] of state.carry) {
          for (const amount of balances.values()) add(key, "carry", amount)
        }
        return [...totals.values()]
      })
  }
}

const byKey = (left: EntryId, right: EntryId): number =>
  left.key - right.key || left.hour - right.hour

const matches = (
  { fromHour, lineages, product, states, untilHour }: EntryFilter,
  entry: EntryRow,
  key: KeyRow,
  name: NonNullable<EntryFilter["states"]>[number]
): boolean =>
  (product === undefined || key.product === product) &&
  (lineages === undefined || lineages.includes(key.lineage)) &&
  (fromHour === undefined || entry.hour >= fromHour) &&
  (untilHour === undefined || entry.hour < untilHour) &&
  (states === undefined || states.includes(name))
