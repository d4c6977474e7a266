/** The buyers who came to the built-in registration page, and the events at the built-in receiver. */
import type { AgreementDetails } from "../../../Marketplace.js"
import type { ListedRegistration, ReceivedMessage } from "../../server/builtIn.js"
import { entitlementText } from "../entitlementText.js"
import { Badge } from "../parts/Badge.js"
import { Expander } from "../parts/Expander.js"
import { Json } from "../parts/Json.js"
import { Loaded } from "../parts/Loaded.js"
import { Time } from "../parts/Time.js"
import { usePolled } from "../usePolled.js"

type Agreement = typeof AgreementDetails.Encoded

export const Seller = () => (
  <>
    <p class="message warn">
      This stands in for your own code, so that the whole way of a buyer works without any: a
      registration page, which resolves the token by ResolveCustomer, and a receiver of events.
    </p>
    <Registrations />
    <Messages />
  </>
)

const Registrations = () => {
  const registrations = usePolled<ReadonlyArray<ListedRegistration>>(
    "/_sandbox/built-in/registrations"
  )
  const agreements = usePolled<ReadonlyArray<Agreement>>("/_sandbox/agreements")
  return (
    <section aria-labelledby="buyers">
      <h2 id="buyers">Buyers at the registration page</h2>
      <Loaded polled={registrations}>
        {(all) =>
          all.length === 0 ? (
            <p>None yet. Buy a product, and set up the account.</p>
          ) : (
            <ul class="list">
              {all.map((registration) => (
                <li key={registration.id} class="card">
                  <RegistrationDetails
                    registration={registration}
                    agreement={agreements.data?.find((one) => isOf(one, registration))}
                  />
                </li>
              ))}
            </ul>
          )
        }
      </Loaded>
    </section>
  )
}

/** Returns true if a registration is for an agreement. Compares the license, or account and product if there is no license. */
const isOf = (agreement: Agreement, { customer }: ListedRegistration): boolean =>
  customer?.licenseArn !== undefined
    ? agreement.licenseArn === customer.licenseArn
    : agreement.customerAWSAccountId === customer?.customerAWSAccountId &&
      agreement.productCode === customer?.productCode

const RegistrationDetails = ({
  agreement,
  registration: { at, customer, entitlements, error, isFreeTrial }
}: {
  readonly registration: ListedRegistration
  readonly agreement: Agreement | undefined
}) =>
  customer === undefined ? (
    <>
      <Badge tone="bad">not resolved</Badge> <Time at={at} />
      <p>{error}</p>
    </>
  ) : (
    <>
      <h3>
        Welcome, customer {customer.customerAWSAccountId} {isFreeTrial && <Badge>free trial</Badge>}
      </h3>
      <dl class="facts">
        <dt>Time</dt>
        <dd>
          <Time at={at} />
        </dd>
        <dt>Product</dt>
        <dd>{customer.productCode}</dd>
        <dt>License</dt>
        <dd>{customer.licenseArn ?? "none"}</dd>
        <dt>Customer identifier</dt>
        <dd>{customer.customerIdentifier ?? "none"}</dd>
        <dt>Agreement</dt>
        <dd>
          {agreement === undefined ? "none" : `${agreement.agreementId}, now ${agreement.state}`}
        </dd>
        <dt>GetEntitlements</dt>
        <dd>{entitlementText(entitlements)}</dd>
      </dl>
    </>
  )

const Messages = () => {
  const messages = usePolled<ReadonlyArray<ReceivedMessage>>("/_sandbox/built-in/messages")
  return (
    <section aria-labelledby="received">
      <h2 id="received">Events at the receiver</h2>
      <Loaded polled={messages}>
        {(all) =>
          all.length === 0 ? (
            <p>
              None yet. The built-in targets send them to <code>/_sandbox/built-in/receiver</code>,
              and those of a scenario may, too.
            </p>
          ) : (
            <ul class="list">
              {all.map((message) => (
                <li key={message.id}>
                  <MessageDetails message={message} />
                </li>
              ))}
            </ul>
          )
        }
      </Loaded>
    </section>
  )
}

const MessageDetails = ({ message }: { readonly message: ReceivedMessage }) => {
  const { at, body, contentType, snsType } = message
  const value = parsed(body)
  return (
    <Expander
      summary={
        <>
          <strong>{eventNameOf(value) ?? snsType ?? "Request"}</strong> <Time at={at} />{" "}
          <Badge>{snsType === undefined ? contentType : `SNS ${snsType}`}</Badge>
        </>
      }
    >
      {() => <Json label="Body" value={value} />}
    </Expander>
  )
}

/** Returns the detail type of an EventBridge event, or the action in an SNS notification. */
const eventNameOf = (value: unknown): string | undefined => {
  const { "detail-type": detailType, Message: message } = Object(value)
  const name = detailType ?? (typeof message === "string" && Object(parsed(message)).action)
  return typeof name === "string" ? name : undefined
}

const parsed = (text: string): unknown => {
  try {
    return JSON.parse(text)
  } catch {
    return text
  }
}
