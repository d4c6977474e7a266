/** An agreement in its current state, with a button for each operation that is possible. */
import { useState } from "preact/hooks"
import type { AgreementDetails, Landing as LandingSchema, Operation } from "../../../Marketplace.js"
import { send } from "../client.js"
import { entitlementText } from "../entitlementText.js"
import { operationInfo } from "../operationTexts.js"
import { Badge, type Tone } from "../parts/Badge.js"
import { Field } from "../parts/Field.js"
import { LandingForm } from "../parts/LandingForm.js"
import { Messages } from "../parts/Messages.js"
import { Time } from "../parts/Time.js"
import { fromLocalField } from "../times.js"
import { useAction } from "../useAction.js"

type Agreement = typeof AgreementDetails.Encoded

type Landing = typeof LandingSchema.Encoded

const tones: { readonly [State in Agreement["state"]]: Tone } = {
  pending: "warn",
  active: "good",
  ending: "warn",
  ended: "plain",
  failed: "bad"
}

export const AgreementCard = ({ agreement }: { readonly agreement: Agreement }) => {
  const { advisory, agreementId, operations, productCode, state, status } = agreement
  const selector = { customerAWSAccountId: agreement.customerAWSAccountId, agreementId }
  const [open, setOpen] = useState<Operation>()
  const [landing, setLanding] = useState<Landing>()
  const action = useAction()
  const run = (operation: Operation, terms: object = {}) =>
    action.run(async () => {
      const { path, success } = operationInfo[operation]
      await send("POST", `/_sandbox/${path}`, { ...selector, ...terms })
      setOpen(undefined)
      return success
    })
  /** Opens the seller's page again with a new token, as a buyer can. */
  const setUpAccount = () =>
    action.run(async () => {
      setLanding(await send<Landing>("POST", "/_sandbox/set-up-account", selector))
      return "A new registration token is ready."
    })
  return (
    <>
      <h3>
        {productCode} <Badge tone={tones[state]}>{state}</Badge>{" "}
        {status.toLowerCase() !== state && <Badge>{status}</Badge>}{" "}
        {advisory === true && <Badge tone="warn">advisory</Badge>}
      </h3>
      <Facts agreement={agreement} />
      <div class="row">
        {operations.map((operation) => (
          <OperationButton
            key={operation}
            operation={operation}
            agreementId={agreementId}
            isOpen={open === operation}
            run={() => run(operation)}
            toggle={() => setOpen(open === operation ? undefined : operation)}
          />
        ))}
        {(state === "active" || state === "pending") && (
          <button
            type="button"
            aria-label={`Open the registration page: ${agreementId}`}
            onClick={setUpAccount}
          >
            Open the registration page
          </button>
        )}
      </div>
      {open !== undefined && (
        <EndForm
          operation={open}
          submit={(endsAt) => run(open, endsAt !== null || open === "amend" ? { endsAt } : {})}
        />
      )}
      <Messages {...action} />
      {landing !== undefined && <LandingForm {...landing} />}
    </>
  )
}

const OperationButton = ({
  agreementId,
  isOpen,
  operation,
  run,
  toggle
}: {
  readonly operation: Operation
  readonly agreementId: string
  readonly isOpen: boolean
  readonly run: () => void
  /** Opens or closes the form for the end that some operations take. */
  readonly toggle: () => void
}) => {
  const { end, label } = operationInfo[operation]
  const name = `${label}: ${agreementId}`
  return end === undefined ? (
    <button type="button" aria-label={name} onClick={run}>
      {label}
    </button>
  ) : (
    <button type="button" aria-label={name} aria-expanded={isOpen} onClick={toggle}>
      {label}
    </button>
  )
}

const Facts = ({ agreement }: { readonly agreement: Agreement }) => {
  const { agreementId, cancelledAt, endsAt, licenseArn, offerId, registered, startsAt } = agreement
  const times = [
    ["Start", startsAt],
    ["Ended", cancelledAt],
    ["End", endsAt],
    ["Payment failed", agreement.failedAt]
  ] as const
  return (
    <dl class="facts">
      <dt>Agreement</dt>
      <dd>{agreementId}</dd>
      <dt>License</dt>
      <dd>{licenseArn ?? "none"}</dd>
      <dt>Offer</dt>
      <dd>
        {offerId} {offerKind(agreement)}
      </dd>
      {agreement.previousAgreementId !== undefined && (
        <>
          <dt>{agreement.intent === "RENEW" ? "Renews" : "Replaces"}</dt>
          <dd>{agreement.previousAgreementId}</dd>
        </>
      )}
      <dt>Entitlements</dt>
      <dd>{entitlementText(agreement.entitlements)}</dd>
      {times.map(([label, at]) =>
        at === undefined ? undefined : (
          <>
            <dt>{label}</dt>
            <dd>
              <Time at={at} />
            </dd>
          </>
        )
      )}
      <dt>Registered</dt>
      <dd>{registered ? "yes" : "no: the token was not resolved yet"}</dd>
    </dl>
  )
}

const offerKind = ({ freeTrial, privateOffer, reseller }: Agreement) =>
  [
    freeTrial === true ? "free trial" : "",
    privateOffer === true ? "private offer" : "",
    reseller === undefined ? "" : `by reseller ${reseller}`
  ]
    .filter((text) => text !== "")
    .join(", ")

const EndForm = ({
  operation,
  submit
}: {
  readonly operation: Operation
  readonly submit: (endsAt: string | null) => void
}) => {
  const { end = "", label } = operationInfo[operation]
  const [value, setValue] = useState("")
  return (
    <form
      class="row"
      onSubmit={(event) => {
        event.preventDefault()
        submit(value === "" ? null : fromLocalField(value))
      }}
    >
      <Field label={end} hint="Empty for none.">
        <input
          type="datetime-local"
          value={value}
          onInput={(event) => setValue(event.currentTarget.value)}
        />
      </Field>
      <button type="submit">{label}</button>
    </form>
  )
}
