/** The billed usage: a chart of the last three days for each dimension, and a table of all hours. */
import { useState } from "preact/hooks"
import type { BilledPage } from "../../../Report.js"
import { groupBy } from "../groupBy.js"
import { Chart } from "../parts/Chart.js"
import { Field } from "../parts/Field.js"
import { Hour } from "../parts/Hour.js"
import { Loaded } from "../parts/Loaded.js"
import { usePolled } from "../usePolled.js"

type Page = typeof BilledPage.Encoded
type Usage = Page["billed"][number]

/** The maximum page size of the API. */
const limit = 10_000

/** The number of rows that are shown at first, and that each press of the button adds. */
const rowsAtOnce = 200

export const Billed = () => {
  const page = usePolled<Page>(`/_sandbox/billed?limit=${limit}`)
  const clock = usePolled<{ readonly now: string }>("/_sandbox/clock")
  return (
    <Loaded polled={page}>
      {({ billed, next }) =>
        billed.length === 0 ? (
          <p>Nothing is billed yet. Send usage with BatchMeterUsage or MeterUsage.</p>
        ) : (
          <Report billed={billed} isCut={next !== undefined} now={clock.data?.now} />
        )
      }
    </Loaded>
  )
}

const distinct = (values: ReadonlyArray<string>) => [...new Set(values)].sort()

const Report = ({
  billed,
  isCut,
  now
}: {
  readonly billed: ReadonlyArray<Usage>
  readonly isCut: boolean
  readonly now: string | undefined
}) => {
  const [customer, setCustomer] = useState("")
  const [dimension, setDimension] = useState("")
  const shown = billed.filter(
    (one) =>
      (customer === "" || one.customerAWSAccountId === customer) &&
      (dimension === "" || one.dimension === dimension)
  )
  return (
    <>
      {isCut && (
        <p class="message warn">
          Only the first {limit.toLocaleString("en")} hours are here. GET /_sandbox/billed has all.
        </p>
      )}
      <div class="row">
        <Choice
          label="Customer"
          value={customer}
          values={distinct(billed.map((one) => one.customerAWSAccountId))}
          onChange={setCustomer}
        />
        <Choice
          label="Dimension"
          value={dimension}
          values={distinct(billed.map((one) => one.dimension))}
          onChange={setDimension}
        />
      </div>
      {now !== undefined && <Charts usage={shown} now={now} />}
      <Table usage={shown} />
    </>
  )
}

const Choice = ({
  label,
  onChange,
  value,
  values
}: {
  readonly label: string
  readonly value: string
  readonly values: ReadonlyArray<string>
  readonly onChange: (value: string) => void
}) => (
  <Field label={label}>
    <select value={value} onChange={(event) => onChange(event.currentTarget.value)}>
      <option value="">all</option>
      {values.map((one) => (
        <option key={one}>{one}</option>
      ))}
    </select>
  </Field>
)

/** A chart for each dimension of a product, because quantities of different dimensions have different units. */
const Charts = ({ now, usage }: { readonly usage: ReadonlyArray<Usage>; readonly now: string }) => {
  const groups = groupBy(usage, ({ dimension, productCode }) => `${dimension} of ${productCode}`)
  return (
    <div class="charts">
      {[...groups].map(([name, ofGroup]) => (
        <Chart key={name} name={name} usage={ofGroup} now={now} />
      ))}
    </div>
  )
}

const newestFirst = (usage: ReadonlyArray<Usage>) =>
  [...usage].sort((left, right) => (left.hour < right.hour ? 1 : left.hour > right.hour ? -1 : 0))

const Table = ({ usage }: { readonly usage: ReadonlyArray<Usage> }) => {
  const [count, setCount] = useState(rowsAtOnce)
  return (
    <>
      <table>
        <caption>Billed hours, the newest first</caption>
        <thead>
          <tr>
            <th scope="col">Hour (UTC)</th>
            <th scope="col">Customer</th>
            <th scope="col">Dimension</th>
            <th scope="col" class="number">
              Quantity
            </th>
          </tr>
        </thead>
        <tbody>
          {newestFirst(usage)
            .slice(0, count)
            .map(({ customerAWSAccountId, dimension, hour, productCode, quantity }) => (
              <tr key={`${hour} ${productCode} ${customerAWSAccountId} ${dimension}`}>
                <td>
                  <Hour at={hour} />
                </td>
                <td>{customerAWSAccountId}</td>
                <td>
                  {dimension} <span class="quiet">{productCode}</span>
                </td>
                <td class="number">{quantity.toLocaleString("en")}</td>
              </tr>
            ))}
        </tbody>
      </table>
      {usage.length > count && (
        <button type="button" onClick={() => setCount(count + rowsAtOnce)}>
          Show more
        </button>
      )}
    </>
  )
}
