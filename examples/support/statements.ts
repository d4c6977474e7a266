/** Statements over months. */
import { Chunk, DateTime, Effect, Stream } from "effect"
import { UsageLedger } from "effect-marketplace-metering/ledger"

/** Every entry of some customers, with its evidence, in the months of the hours. */
export const statementLines = (
  customers: ReadonlyArray<string>,
  hours: ReadonlyArray<DateTime.Utc>
) => {
  const months = new Set(hours.map((hour) => DateTime.formatIso(hour).slice(0, 7)))
  return Stream.fromIterable(customers).pipe(
    Stream.flatMap((customer) =>
      Stream.flatMap(Stream.fromIterable(months), (month) =>
        UsageLedger.statement({ customer, month })
      )
    ),
    Stream.runCollect,
    Effect.map(Chunk.toReadonlyArray)
  )
}
