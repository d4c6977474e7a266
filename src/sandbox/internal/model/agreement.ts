/** Agreements: their ids, their state, and the operations that are possible on them. */
import * as DateTime from "effect/DateTime"
import type { AgreementDetails, Operation } from "../../Marketplace.js"
import type { Agreement, Customer } from "../scenario/models.js"
import { type Catalog, findCustomer, statusOf } from "./catalog.js"
import { sha256HexSync } from "./hash.js"

/** An agreement and its index in the customer's list. The index is stable, because agreements are only appended. */
export interface LocatedAgreement {
  readonly customer: Customer
  readonly index: number
  readonly agreement: Agreement
}

export const agreementsOf = (customer: Customer): ReadonlyArray<LocatedAgreement> =>
  customer.agreements.map((agreement, index) => ({ customer, index, agreement }))

/** Returns the customer's agreements, with the agreement at `index` replaced. */
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

/** Caches the generated ids, because a search through many agreements computes them again and again. */
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

/** The values that identify an agreement. Contains the start, so that a purchase after a reset gets another id. */
const placeOf = ({ agreement, customer, index }: LocatedAgreement) => [
  customer.customerAWSAccountId,
  agreement.productCode,
  index,
  agreement.startsAt?.epochMillis ?? 0
]

/** Returns lower-case letters and digits that depend only on the parts. */
export const idText = (length: number, ...parts: ReadonlyArray<string | number>): string =>
  BigInt(`0x${sha256HexSync(JSON.stringify(parts))}`)
    .toString(36)
    .padStart(50, "0")
    .slice(-length)

/** Returns the time `days` before the end, or `undefined` if there is no end or `days` is `undefined`. */
export const beforeEnd = (
  { endsAt }: Agreement,
  days: number | undefined
): DateTime.Utc | undefined =>
  endsAt === undefined || days === undefined ? undefined : DateTime.subtract(endsAt, { days })

/** Returns the start of the lockout, after which automatic renewal can no longer be turned off, or `undefined`. */
export const lockoutOf = (agreement: Agreement): DateTime.Utc | undefined =>
  beforeEnd(agreement, agreement.renewal?.lockoutDays)

type State = AgreementDetails["state"]

/** Returns the status of an agreement as the service's events name it. */
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

/** Returns false for an agreement whose end is already set by `cancelledAt`, because a second end would have no effect. */
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

// the cast is safe, because the keys of `conditions` are all operations
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
