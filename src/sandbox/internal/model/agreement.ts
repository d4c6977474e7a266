/** Agreements: their ids, their state, and the operations that are possible on them. */
import * as DateTime from "effect/DateTime"
import type { AgreementDetails, Operation } from "../../Marketplace.js"
import type { Agreement, Customer } from "../scenario/models.js"
import { type Catalog, findCustomer, statusOf } from "./catalog.js"
import { sha256HexSync } from "./hash.js"

/** An agreement and its place in a customer's list, to which agreements are only added. */
export interface LocatedAgreement {
  readonly customer: Customer
  readonly index: number
  readonly agreement: Agreement
}

export const agreementsOf = (customer: Customer): ReadonlyArray<LocatedAgreement> =>
  customer.agreements.map((agreement, index) => ({ customer, index, agreement }))

/** A customer's agreements, with another value of one of them. */
export const agreementsWith = ({
  agreement,
  customer,
  index
}: LocatedAgreement): ReadonlyArray<Agreement> =>
  customer.agreements.map((one, i) => (i === index ? agreement : one))

export const locateAgreement = (
  catalog: Catalog,
  { account, agreementId }: { readonly account: string; readonly agreementId: string }
): LocatedAgreement | undefined => {
  const customer = findCustomer(catalog, { customerAWSAccountId: account })
  return (
    customer && agreementsOf(customer).find((located) => agreementIdOf(located) === agreementId)
  )
}

export const agreementIdOf = (located: LocatedAgreement): string =>
  located.agreement.agreementId ?? generatedId(located)

/** The generated ids of agreements, with their places, which a search through many agreements needs again. */
const generatedIds = new WeakMap<Agreement, { readonly place: string; readonly id: string }>()

const generatedId = (located: LocatedAgreement): string => {
  const place = `${located.customer.customerAWSAccountId} ${located.index}`
  const known = generatedIds.get(located.agreement)
  if (known?.place === place) return known.id
  const id = `agmt-${idText(25, "agreement", ...placeOf(located))}`
  generatedIds.set(located.agreement, { place, id })
  return id
}

export const offerIdOf = ({ agreement, customer, index }: LocatedAgreement): string =>
  agreement.offerId ?? `offer-${idText(13, "offer", ...placeOf({ agreement, customer, index }))}`

/** With the start, so that a purchase after a reset has another id. */
const placeOf = ({ agreement, customer, index }: LocatedAgreement) => [
  customer.customerAWSAccountId,
  agreement.productCode,
  index,
  agreement.startsAt?.epochMillis ?? 0
]

/** Lower-case letters and digits that depend on the parts alone. */
export const idText = (length: number, ...parts: ReadonlyArray<string | number>): string =>
  BigInt(`0x${sha256HexSync(JSON.stringify(parts))}`)
    .toString(36)
    .padStart(50, "0")
    .slice(-length)

/** The time some days before the end. */
export const beforeEnd = (
  { endsAt }: Agreement,
  days: number | undefined
): DateTime.Utc | undefined =>
  endsAt === undefined || days === undefined ? undefined : DateTime.subtract(endsAt, { days })

/** The start of the lockout, in which a renewal can no longer be turned off. */
export const lockoutOf = (agreement: Agreement): DateTime.Utc | undefined =>
  beforeEnd(agreement, agreement.renewal?.lockoutDays)

type State = AgreementDetails["state"]

/** The status in events. */
export const serviceStatusOf = (agreement: Agreement, now: number): AgreementDetails["status"] => {
  const { cancelledAt, endReason = "CANCELLED", endsAt, failedAt } = agreement
  const isPast = (time: Agreement["endsAt"]) => time !== undefined && time.epochMillis <= now
  if (isPast(failedAt)) return "FAILED"
  const isCancelled =
    cancelledAt !== undefined && !(endsAt && endsAt.epochMillis < cancelledAt.epochMillis)
  if (isCancelled && isPast(cancelledAt)) return endReason
  return isPast(endsAt) ? "EXPIRED" : "ACTIVE"
}

const isActive = (_: Agreement, state: State) => state === "active"

/** A second end would have no effect. */
const canEnd = ({ cancelledAt }: Agreement) => cancelledAt === undefined

/** The states of an agreement in which an operation is possible. */
const conditions: {
  readonly [Name in Operation]: (agreement: Agreement, state: State) => boolean
} = {
  amend: (agreement, state) => canEnd(agreement) && (state === "active" || state === "pending"),
  renew: (agreement, state) => canEnd(agreement) && isActive(agreement, state),
  replace: (agreement, state) => canEnd(agreement) && isActive(agreement, state),
  cancel: (agreement, state) => canEnd(agreement) && (state === "active" || state === "pending"),
  expire: isActive,
  terminate: (agreement, state) => canEnd(agreement) && isActive(agreement, state),
  issueAdvisory: (agreement, state) => isActive(agreement, state) && agreement.advisory !== true,
  resolveAdvisory: (agreement, state) => isActive(agreement, state) && agreement.advisory === true,
  failPayment: (agreement, state) => canEnd(agreement) && state === "pending"
}

export const isPossible = (operation: Operation, agreement: Agreement, now: number): boolean =>
  conditions[operation](agreement, statusOf(agreement, now))

// the keys of the table are the operations
const operations = Object.keys(conditions) as ReadonlyArray<Operation>

export const detailsOf = (
  located: LocatedAgreement,
  registered: boolean,
  now: number
): AgreementDetails => {
  const { agreement, customer } = located
  const { customerAWSAccountId, customerIdentifier } = customer
  return {
    customerAWSAccountId,
    ...(customerIdentifier !== undefined && { customerIdentifier }),
    ...agreement,
    agreementId: agreementIdOf(located),
    offerId: offerIdOf(located),
    state: statusOf(agreement, now),
    status: serviceStatusOf(agreement, now),
    registered,
    operations: operations.filter((operation) => isPossible(operation, agreement, now))
  }
}
