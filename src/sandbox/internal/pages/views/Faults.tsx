/** The faults of the next calls: the script, the random faults, and a form that adds a fault. */
import { send } from "../client.js"
import { type Faults as AllFaults, faultText, type Replace } from "../faults.js"
import { Loaded } from "../parts/Loaded.js"
import { Messages } from "../parts/Messages.js"
import { useAction } from "../useAction.js"
import { usePolled } from "../usePolled.js"
import { AddFault } from "./AddFault.js"

const path = "/_sandbox/faults"

export const Faults = () => {
  const polled = usePolled<AllFaults>(path)
  const action = useAction()
  const replace: Replace = (faults, success) =>
    action.run(async () => {
      await send("PUT", path, faults)
      return success
    })
  return (
    <>
      <p>
        A call takes the first fault of the script for its operation. Calls without one draw from
        the faults at random, by the seed.
      </p>
      <Loaded polled={polled}>
        {(faults) => (
          <>
            <Current faults={faults} replace={replace} />
            <AddFault faults={faults} replace={replace} />
          </>
        )}
      </Loaded>
      <Messages {...action} />
    </>
  )
}

interface Props {
  readonly faults: AllFaults
  readonly replace: Replace
}

const Current = ({ faults, replace }: Props) => {
  const { chances = [], script = [], seed = 0 } = faults
  const removed = "The fault is removed."
  if (script.length + chances.length === 0) return <p>There are no faults.</p>
  return (
    <>
      <List
        title="Script: the next calls"
        items={script.map((one) => `${faultText(one)}, ${timesText(one.times)}`)}
        remove={(index) =>
          replace({ ...faults, script: script.filter((_, at) => at !== index) }, removed)
        }
      />
      <List
        title={`At random, by seed ${seed}`}
        items={chances.map((one) => `${faultText(one)}, ${Math.round(one.probability * 100)} %`)}
        remove={(index) =>
          replace({ ...faults, chances: chances.filter((_, at) => at !== index) }, removed)
        }
      />
      <button type="button" onClick={() => replace({}, "All faults are removed.")}>
        Remove all faults
      </button>
    </>
  )
}

const timesText = (times = 1) => (times === 1 ? "once" : `${times} times`)

const List = ({
  items,
  remove,
  title
}: {
  readonly title: string
  readonly items: ReadonlyArray<string>
  readonly remove: (index: number) => void
}) =>
  items.length === 0 ? null : (
    <section>
      <h2>{title}</h2>
      <ol class="list">
        {items.map((text, index) => (
          <li key={index} class="card row">
            <span class="grow">{text}</span>
            <button type="button" aria-label={`Remove ${text}`} onClick={() => remove(index)}>
              Remove
            </button>
          </li>
        ))}
      </ol>
    </section>
  )
