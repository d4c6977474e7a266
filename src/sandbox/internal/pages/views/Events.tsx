/** The events that AWS Marketplace would have sent, the scheduled events, and the targets. */
import type { SentEvent as EventSchema, EventsPage, ScheduledPage } from "../../../EventDelivery.js"
import { send } from "../client.js"
import { Badge, type Tone } from "../parts/Badge.js"
import { Expander } from "../parts/Expander.js"
import { Json } from "../parts/Json.js"
import { Loaded } from "../parts/Loaded.js"
import { Messages } from "../parts/Messages.js"
import { Time } from "../parts/Time.js"
import { useAction } from "../useAction.js"
import { usePolled } from "../usePolled.js"
import { DeliveryFaultsForm } from "./DeliveryFaultsForm.js"
import { Targets } from "./Targets.js"

type SentEvent = typeof EventSchema.Encoded
type Delivery = SentEvent["deliveries"][number]
type Page = typeof EventsPage.Encoded

/** The number of events to show. The sandbox keeps at least this number of the last events. */
const limit = 1000

export const Events = () => {
  const page = usePolled<Page>(`/_sandbox/events?limit=${limit}`)
  return (
    <>
      <h2>Events so far</h2>
      <Loaded polled={page}>
        {({ events }) =>
          events.length === 0 ? (
            <p>There was no event yet. Buy a product, or change an agreement.</p>
          ) : (
            <ul class="list">
              {[...events].reverse().map((event) => (
                <li key={event.eventId}>
                  <EventDetails event={event} />
                </li>
              ))}
            </ul>
          )
        }
      </Loaded>
      <Scheduled />
      <Targets />
      <DeliveryFaultsForm />
    </>
  )
}

const stateTones: { readonly [State in Delivery["state"]]: Tone } = {
  pending: "warn",
  delivered: "good",
  failed: "bad"
}

const EventDetails = ({ event }: { readonly event: SentEvent }) => {
  const { agreementId, at, body, channel, deliveries, eventId, fault, name } = event
  const action = useAction()
  const resend = (target?: string) =>
    action.run(async () => {
      await send("POST", "/_sandbox/events/resend", { eventId, ...(target && { target }) })
      return "The event is sent again."
    })
  return (
    <Expander
      summary={
        <>
          <strong>{name}</strong> <Time at={at} />{" "}
          <Badge>{channel === "sns" ? "SNS" : "EventBridge"}</Badge>{" "}
          {deliveries.map(({ deliveryId, state, target }) => (
            <Badge key={deliveryId} tone={stateTones[state]}>{`${target}: ${state}`}</Badge>
          ))}{" "}
          {fault !== undefined && <Badge tone="warn">fault {fault}</Badge>}
        </>
      }
    >
      {() => (
        <>
          <dl class="facts">
            <dt>Event id</dt>
            <dd>{eventId}</dd>
            <dt>Agreement</dt>
            <dd>{agreementId}</dd>
          </dl>
          <Json label="Payload" value={body} />
          <h3>Deliveries</h3>
          {deliveries.length === 0 && <p>There is no target for it.</p>}
          <ul class="list">
            {deliveries.map((delivery) => (
              <li key={delivery.deliveryId}>
                <DeliveryDetails delivery={delivery} resend={() => resend(delivery.target)} />
              </li>
            ))}
          </ul>
          <button type="button" onClick={() => resend()}>
            Send again to all targets
          </button>
          <Messages {...action} />
        </>
      )}
    </Expander>
  )
}

const DeliveryDetails = ({
  delivery: { attempts, state, target },
  resend
}: {
  readonly delivery: Delivery
  readonly resend: () => void
}) => (
  <>
    <strong>{target}</strong> <Badge tone={stateTones[state]}>{state}</Badge>
    <ol>
      {attempts.map(({ at, error, status }) => (
        <li key={at}>
          <Time at={at} /> {status !== undefined && `HTTP ${status}`} {error}
        </li>
      ))}
    </ol>
    <button type="button" aria-label={`Send again to ${target}`} onClick={resend}>
      Send again
    </button>
  </>
)

/** The number of scheduled events to show. */
const scheduledLimit = 100

const Scheduled = () => {
  const scheduled = usePolled<typeof ScheduledPage.Encoded>(
    `/_sandbox/events/scheduled?limit=${scheduledLimit}`
  )
  return (
    <section aria-labelledby="scheduled">
      <h2 id="scheduled">Events to come</h2>
      <Loaded polled={scheduled}>
        {({ events, next }) =>
          events.length === 0 ? (
            <p>None. Events fall due by the sandbox's clock.</p>
          ) : (
            <>
              <ul class="list">
                {events.map(({ agreementId, at, name }) => (
                  <li key={`${at} ${name} ${agreementId}`}>
                    {at === undefined ? "after the buyer's landing" : <Time at={at} />}{" "}
                    <strong>{name}</strong> <span class="quiet">{agreementId}</span>
                  </li>
                ))}
              </ul>
              {next !== undefined && <p>The next {scheduledLimit} are shown.</p>}
            </>
          )
        }
      </Loaded>
    </section>
  )
}
