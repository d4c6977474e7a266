/** A form for the faults of delivery: events that arrive twice, late, in another order, or never. */
import type { DeliveryFaults as FaultsSchema } from "../../../EventDelivery.js"
import { send } from "../client.js"
import { Field } from "../parts/Field.js"
import { Loaded } from "../parts/Loaded.js"
import { Messages } from "../parts/Messages.js"
import { type Action, useAction } from "../useAction.js"
import { usePolled } from "../usePolled.js"

type Faults = typeof FaultsSchema.Encoded

const path = "/_sandbox/delivery-faults"

export const DeliveryFaultsForm = () => {
  const faults = usePolled<Faults>(path)
  const action = useAction()
  return (
    <section aria-labelledby="delivery-faults">
      <h2 id="delivery-faults">Faults of delivery</h2>
      <Loaded polled={faults}>
        {(current) => (
          // the key renders the form again after each change, so that its fields show the new defaults
          <Form key={JSON.stringify(current)} current={current} action={action} />
        )}
      </Loaded>
      <Messages {...action} />
    </section>
  )
}

const shares = [
  ["duplicate", "Sent twice (%)"],
  ["reorder", "After the next one (%)"],
  ["drop", "Never sent (%)"],
  ["delay", "Delayed (%)"]
] as const

const shareOf = (faults: Faults, name: (typeof shares)[number][0]): number =>
  (name === "delay" ? faults.delay?.share : faults[name]) ?? 0

const Form = ({ action, current }: { readonly current: Faults; readonly action: Action }) => (
  <form
    onSubmit={(event) => {
      event.preventDefault()
      const faults = faultsOf(new FormData(event.currentTarget))
      action.run(async () => {
        await send("PUT", path, faults)
        return "The faults of delivery are set."
      })
    }}
  >
    <div class="row">
      {shares.map(([name, label]) => (
        <Field key={name} label={label}>
          <input
            name={name}
            type="number"
            min={0}
            max={100}
            step="any"
            defaultValue={String(shareOf(current, name) * 100)}
          />
        </Field>
      ))}
      <Field label="Delay" hint="Such as 5 minutes.">
        <input name="duration" defaultValue={durationText(current.delay?.duration)} />
      </Field>
      <Field label="Seed">
        <input name="seed" type="number" step="1" defaultValue={String(current.seed ?? 0)} />
      </Field>
    </div>
    <label class="check">
      <input name="afterLanding" type="checkbox" defaultChecked={current.afterLanding === true} />{" "}
      Hold events back until the buyer has landed
    </label>
    <button type="submit">Set</button>
  </form>
)

/** Formats a duration. Responses contain durations as numbers of milliseconds. Defaults to "5 minutes". */
const durationText = (duration: string | number = "5 minutes"): string =>
  typeof duration === "number" ? `${duration / 1000} seconds` : duration

const faultsOf = (form: FormData): Faults => {
  const share = (name: string) => Number(form.get(name) ?? 0) / 100
  return {
    duplicate: share("duplicate"),
    reorder: share("reorder"),
    drop: share("drop"),
    ...(share("delay") > 0 && {
      delay: { share: share("delay"), duration: String(form.get("duration")) }
    }),
    seed: Number(form.get("seed") ?? 0),
    afterLanding: form.has("afterLanding")
  }
}
