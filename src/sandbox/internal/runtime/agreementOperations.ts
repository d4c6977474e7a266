/** The operations on one agreement. Each returns the agreement and the next state, or an error message. */
import * as DateTime from "effect/DateTime"
import * as Either from "effect/Either"
import * as HashSet from "effect/HashSet"
import type * as Marketplace from "../../Marketplace.js"
import type { Agreement } from "../../Scenario.js"
import {
  agreementIdOf,
  agreementsOf,
  agreementsWith,
  detailsOf,
  type LocatedAgreement,
  locateAgreement,
  offerIdOf
} from "../model/agreement.js"
import * as agreementEvents from "../model/agreementEvents.js"
import { isInverted } from "../model/catalog.js"
import { emit } from "../model/emission.js"
import { agreementTime } from "../model/milestones.js"
import { capacityError, type State } from "../model/state.js"
import { unknownDimensionsOf } from "../scenario/validateScenario.js"
import {
  invertedPeriodMessage,
  newLicenseArn,
  type UpdateResult,
  unknownDimensionMessage,
  updateCustomer
} from "./marketplace.js"
import { customers } from "./report.js"
import { findForOperation } from "./selection.js"

export type AgreementUpdate = UpdateResult<Marketplace.AgreementDetails>

/** Returns all agreements, sorted by account. */
export const agreements = (
  state: State,
  now: number
): ReadonlyArray<Marketplace.AgreementDetails> =>
  customers(state).flatMap((customer) =>
    agreementsOf(customer).map((located) => detailsIn(state, located, now))
  )

export const detailsIn = (state: State, located: LocatedAgreement, now: number) =>
  detailsOf(
    located,
    HashSet.has(state.landed, agreementIdOf(located)),
    agreementTime(state.announced, located, now)
  )

/** Sends the events of a change of an agreement. */
type Emit = (state: State, located: LocatedAgreement, now: number) => State

/** Replaces an agreement, and sends the events of the change. */
const revise = (
  state: State,
  { customer, index }: LocatedAgreement,
  revised: Agreement,
  now: number,
  emitChange: Emit
): AgreementUpdate => {
  const agreements = agreementsWith({ customer, index, agreement: revised })
  return Either.map(updateCustomer(state, { ...customer, agreements }), ([updated, next]) => {
    const located = { customer: updated, index, agreement: revised }
    const emitted = emitChange(next, located, now)
    // reads the agreement again, because the events of an end may have set `deprovisionedAt`
    const account = updated.customerAWSAccountId
    const place = { account, agreementId: agreementIdOf(located) }
    const current = locateAgreement(emitted.catalog, place) ?? located
    return [detailsIn(emitted, current, now), emitted]
  })
}

export const amend = (
  state: State,
  amendment: Marketplace.Amendment,
  now: number
): AgreementUpdate =>
  Either.gen(function* () {
    const located = yield* findForOperation(state, amendment, "amend", now)
    const { endsAt, ...unlimited } = located.agreement
    const nextEnd = amendment.endsAt === undefined ? endsAt : (amendment.endsAt ?? undefined)
    const { entitlements = unlimited.entitlements } = amendment
    const revised = {
      ...unlimited,
      ...(nextEnd !== undefined && { endsAt: nextEnd }),
      ...(entitlements !== undefined && { entitlements })
    }
    const [unknownDimension] = unknownDimensionsOf(revised, state.origin.scenario.products)
    if (unknownDimension !== undefined) {
      return yield* Either.left(unknownDimensionMessage(unknownDimension, revised.productCode))
    }
    if (isInverted(revised) || (nextEnd !== undefined && nextEnd.epochMillis <= now)) {
      return yield* Either.left(
        `endsAt: the agreement ${agreementIdOf(located)} cannot end before it begins or before now. To end it now, use expire.`
      )
    }
    return yield* revise(state, located, revised, now, agreementEvents.amended)
  })

/** Ends an agreement, and adds an agreement that renews or replaces it. */
const succeedBy =
  (operation: "renew" | "replace") =>
  (state: State, succession: Marketplace.Succession, now: number): AgreementUpdate =>
    Either.gen(function* () {
      const capacityReached = capacityError(state)
      if (capacityReached !== undefined) return yield* Either.left(capacityReached)
      const located = yield* findForOperation(state, succession, operation, now)
      const { agreement, customer, index } = located
      const {
        acceptedAt: _,
        agreementId: __,
        deprovisionedAt: ___,
        endsAt: ____,
        failedAt: _____,
        offerId: ______,
        ...lasting
      } = agreement
      // is after now if the clock was moved back before the announced start of the agreement
      const at = agreementTime(state.announced, located, now)
      const startsAt = DateTime.unsafeMake(at)
      const { endsAt } = succession
      if (isInverted({ startsAt, endsAt })) {
        return yield* Either.left(invertedPeriodMessage(agreement.productCode))
      }
      const offerId = succession.offerId ?? (operation === "renew" ? offerIdOf(located) : undefined)
      const successor: Agreement = {
        ...lasting,
        ...(agreement.licenseArn !== undefined && {
          licenseArn: newLicenseArn(customer, agreement.productCode, at)
        }),
        startsAt,
        ...(endsAt !== undefined && { endsAt }),
        ...(offerId !== undefined && { offerId }),
        intent: operation === "renew" ? "RENEW" : "REPLACE",
        previousAgreementId: agreementIdOf(located),
        freeTrial: false,
        advisory: false
      }
      const ended: Agreement = {
        ...agreement,
        cancelledAt: startsAt,
        endReason: operation === "renew" ? "RENEWED" : "REPLACED"
      }
      const [updated, next] = yield* updateCustomer(state, {
        ...customer,
        agreements: [...agreementsWith({ customer, index, agreement: ended }), successor]
      })
      const place = { customer: updated, index: customer.agreements.length, agreement: successor }
      const old = { customer: updated, index, agreement: ended }
      return [detailsIn(next, place, at), agreementEvents.succeeded(next, old, place, at)] as const
    })

export const renew = succeedBy("renew")

export const replace = succeedBy("replace")

/** Makes an operation that only changes fields of the agreement. `at` is the time of `agreementTime`, which may be after now. */
const revision =
  (
    operation: Marketplace.Operation,
    emitChange: Emit,
    fieldsAt: (at: DateTime.Utc) => Partial<Agreement>
  ) =>
  (state: State, selector: Marketplace.AgreementSelector, now: number): AgreementUpdate =>
    Either.flatMap(findForOperation(state, selector, operation, now), (located) => {
      const at = agreementTime(state.announced, located, now)
      const revised = { ...located.agreement, ...fieldsAt(DateTime.unsafeMake(at)) }
      return revise(state, located, revised, at, emitChange)
    })

const notice =
  (kind: "AdvisoryIssued" | "AdvisoryResolved"): Emit =>
  (state, located, now) =>
    emit(state, located, kind, now)

export const expire = revision("expire", agreementEvents.ended, (endsAt) => ({ endsAt }))

export const terminate = revision("terminate", agreementEvents.ended, (cancelledAt) => ({
  cancelledAt,
  endReason: "TERMINATED"
}))

export const issueAdvisory = revision("issueAdvisory", notice("AdvisoryIssued"), () => ({
  advisory: true
}))

export const resolveAdvisory = revision("resolveAdvisory", notice("AdvisoryResolved"), () => ({
  advisory: false
}))

export const failPayment = revision("failPayment", agreementEvents.paymentFailed, (failedAt) => ({
  failedAt
}))
