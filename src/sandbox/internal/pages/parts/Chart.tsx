/** A bar chart of the usage of the last three days by hour. The table on the same page has the numbers. */
import { formatHour, millisPerHour } from "../times.js"

const hours = 72

interface Hour {
  readonly hour: string
  readonly quantity: number
}

export const Chart = ({
  name,
  now,
  usage
}: {
  readonly name: string
  readonly usage: ReadonlyArray<Hour>
  /** The time of the sandbox's clock. The chart ends with its hour. */
  readonly now: string
}) => {
  const lastHour = Math.floor(Date.parse(now) / millisPerHour)
  const quantities = new Array<number>(hours).fill(0)
  for (const { hour, quantity } of usage) {
    const index = Date.parse(hour) / millisPerHour - lastHour + hours - 1
    if (index in quantities) quantities[index] = (quantities[index] ?? 0) + quantity
  }
  const sum = quantities.reduce((left, right) => left + right, 0)
  const max = Math.max(...quantities)
  const timeOf = (index: number) =>
    formatHour(new Date((lastHour - hours + 1 + index) * millisPerHour).toISOString())
  return (
    <figure class="chart">
      <figcaption>
        <strong>{name}</strong> {sum.toLocaleString("en")} in the last {hours / 24} days
        {max > 0 && `, at most ${max.toLocaleString("en")} an hour`}
      </figcaption>
      <svg
        viewBox={`0 0 ${hours} 20`}
        preserveAspectRatio="none"
        role="img"
        aria-label={`${name}: bars for the last ${hours} hours`}
      >
        {quantities.map((quantity, index) =>
          quantity === 0 ? undefined : (
            // the index is a stable key, because it is the hour
            <rect key={index} {...barOf(index, quantity / max)}>
              <title>{`${timeOf(index)}: ${quantity.toLocaleString("en")}`}</title>
            </rect>
          )
        )}
      </svg>
      <div class="axis" aria-hidden="true">
        <span>{timeOf(0)}</span>
        <span>{timeOf(hours - 1)}</span>
      </div>
    </figure>
  )
}

/** The minimum height of a bar, so that it is visible. The maximum is 20. */
const minHeight = 1

const barOf = (index: number, share: number) => {
  const height = Math.max(minHeight, share * 20)
  return { x: index + 0.1, y: 20 - height, width: 0.8, height }
}
