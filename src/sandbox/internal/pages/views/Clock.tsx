/** The sandbox's clock, with forms to change it, and a button to reset the sandbox. */
import { useState } from "preact/hooks"
import { send } from "../client.js"
import { Field } from "../parts/Field.js"
import { Loaded } from "../parts/Loaded.js"
import { Messages } from "../parts/Messages.js"
import { formatTime, fromLocalField, toLocalField } from "../times.js"
import { type Action, useAction } from "../useAction.js"
import { usePolled } from "../usePolled.js"

interface CurrentTime {
  readonly now: string
}

const steps = ["1 minute", "1 hour", "1 day", "30 days"]

export const Clock = () => {
  const clock = usePolled<CurrentTime>("/_sandbox/clock")
  const action = useAction()
  return (
    <>
      <p>
        Usage, agreements, tokens and events go by this clock, in UTC. Signatures go by the clock of
        this machine.
      </p>
      <Loaded polled={clock}>
        {({ now }) => (
          <>
            <p class="clock">
              <time dateTime={now}>{formatTime(now)}</time> UTC
            </p>
            <section aria-labelledby="forward">
              <h2 id="forward">Move forward</h2>
              <div class="row">
                {steps.map((by) => (
                  <button key={by} type="button" onClick={() => action.run(() => advance(by))}>
                    {by}
                  </button>
                ))}
              </div>
              <Other action={action} />
            </section>
            <SetTime action={action} now={now} />
          </>
        )}
      </Loaded>
      <Messages {...action} />
      <Reset action={action} />
    </>
  )
}

const advance = async (by: string) => {
  const { now } = await send<CurrentTime>("POST", "/_sandbox/clock/advance", { by })
  return `The clock is at ${formatTime(now)}.`
}

const Other = ({ action }: { readonly action: Action }) => {
  const [by, setBy] = useState("90 minutes")
  return (
    <form
      class="row"
      onSubmit={(event) => {
        event.preventDefault()
        action.run(() => advance(by))
      }}
    >
      <Field label="Another duration" hint="Such as 90 minutes, 2 hours, 3 days.">
        <input value={by} required onInput={(event) => setBy(event.currentTarget.value)} />
      </Field>
      <button type="submit">Move</button>
    </form>
  )
}

const SetTime = ({ action, now }: { readonly action: Action; readonly now: string }) => {
  const [edited, setEdited] = useState<string>()
  const value = edited ?? toLocalField(now)
  return (
    <section aria-labelledby="set">
      <h2 id="set">Set the time</h2>
      <form
        class="row"
        onSubmit={(event) => {
          event.preventDefault()
          action.run(async () => {
            await send("PUT", "/_sandbox/clock", { now: fromLocalField(value) })
            setEdited(undefined)
            return "The clock is set."
          })
        }}
      >
        <Field label="Time (UTC)" hint="A step back does not take back what has happened.">
          <input
            type="datetime-local"
            required
            value={value}
            onInput={(event) => setEdited(event.currentTarget.value)}
          />
        </Field>
        <button type="submit">Set</button>
      </form>
    </section>
  )
}

const Reset = ({ action }: { readonly action: Action }) => (
  <section aria-labelledby="reset">
    <h2 id="reset">Start over</h2>
    <p>Clears usage, calls and tokens, and returns customers, faults and clock to the scenario.</p>
    <button
      type="button"
      class="danger"
      onClick={() => {
        if (confirm("Clear all usage, calls and tokens of this sandbox?")) action.run(reset)
      }}
    >
      Reset
    </button>
  </section>
)

const reset = async () => {
  await send("POST", "/_sandbox/reset")
  return "The sandbox is at its start."
}
