// Measuring by turns. What else the machine does falls on all cases of a round alike, so each is compared with
// the others of its own round, and the result is the median of the rounds.

/** Calls that are not measured, before each window: what was idle for long is warm again. */
const lead = 16

/**
 * Runs every case in each round, in one order and the next time in the other, and gives what each window cost for
 * one call.
 */
export const byTurns = async (cases, { rounds, warmUp, count, concurrency, window }) => {
  const samples = new Map(cases.map(({ name }) => [name, []]))
  for (let round = 0; round < warmUp + rounds; round++) {
    for (const { name, run } of round % 2 === 0 ? cases : cases.toReversed()) {
      await run(lead, concurrency)
      const cost = await window(() => run(count, concurrency))
      if (round >= warmUp) samples.get(name).push(cost)
    }
  }
  return samples
}

const at = (sorted, part) => {
  const place = (sorted.length - 1) * part
  const low = Math.floor(place)
  const [a, b = a] = sorted.slice(low, low + 2)
  return a + (b - a) * (place - low)
}

/** Median and quartiles. */
export const spread = (values) => {
  const sorted = values.toSorted((a, b) => a - b)
  return { median: at(sorted, 0.5), from: at(sorted, 0.25), to: at(sorted, 0.75) }
}

export const ratio = (samples, base, key) =>
  spread(samples.map((sample, round) => sample[key] / base[round][key]))

export const shown = ({ median, from, to }) =>
  `${median.toFixed(2)} (${from.toFixed(2)} to ${to.toFixed(2)})`
