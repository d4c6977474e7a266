/** The targets of events, and the state of their subscriptions. */
import type { TargetState } from "../../../EventDelivery.js"
import { send } from "../client.js"
import { Badge } from "../parts/Badge.js"
import { Loaded } from "../parts/Loaded.js"
import { Messages } from "../parts/Messages.js"
import { Time } from "../parts/Time.js"
import { useAction } from "../useAction.js"
import { usePolled } from "../usePolled.js"

type Target = typeof TargetState.Encoded

export const Targets = () => {
  const targets = usePolled<ReadonlyArray<Target>>("/_sandbox/targets")
  return (
    <section aria-labelledby="targets">
      <h2 id="targets">Targets</h2>
      <Loaded polled={targets}>
        {(all) =>
          all.length === 0 ? (
            <p>The scenario has none. Events are listed here alone.</p>
          ) : (
            <ul class="list">
              {all.map((target) => (
                <li key={target.name} class="card">
                  <TargetDetails target={target} />
                </li>
              ))}
            </ul>
          )
        }
      </Loaded>
    </section>
  )
}

const kinds: { readonly [Type in Target["type"]]: string } = {
  sns: "SNS by HTTP",
  apiDestination: "EventBridge API destination",
  sqs: "SQS queue"
}

const TargetDetails = ({ target }: { readonly target: Target }) => {
  const { attempts = [], name, pending, subscription, type, url } = target
  const action = useAction()
  const subscribe = () =>
    action.run(async () => {
      await send("POST", "/_sandbox/targets/subscribe", { target: name })
      return "The SubscriptionConfirmation is sent again."
    })
  return (
    <>
      <strong>{name}</strong> <Badge>{kinds[type]}</Badge>{" "}
      {subscription !== undefined && (
        <Badge tone={subscription === "confirmed" ? "good" : "warn"}>
          subscription {subscription}
        </Badge>
      )}{" "}
      {pending > 0 && <Badge tone="warn">{pending} to send</Badge>}
      <p>
        <code>{url}</code>
      </p>
      {attempts.length > 0 && (
        <ol>
          {attempts.map(({ at, error, status }) => (
            <li key={at}>
              SubscriptionConfirmation <Time at={at} /> {status !== undefined && `HTTP ${status}`}{" "}
              {error}
            </li>
          ))}
        </ol>
      )}
      {subscription === "pending" && (
        <button
          type="button"
          aria-label={`Send the SubscriptionConfirmation again: ${name}`}
          onClick={subscribe}
        >
          Send the SubscriptionConfirmation again
        </button>
      )}
      <Messages {...action} />
    </>
  )
}
