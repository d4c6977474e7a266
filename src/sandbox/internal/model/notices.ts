/** The notices about an advisory, an end or a renewal, which change no agreement. */
import * as DateTime from "effect/DateTime"
import { AgreementNotice, type NoticeType } from "../../../lifecycle/MarketplaceEvent.js"
import { agreementIdOf, lockoutOf, offerIdOf } from "./agreement.js"
import { detailFields, type EventContext, envelopeFields, termsOf } from "./eventFields.js"
import { productIdOf } from "./product.js"

/** The days before the end at which each `Purchase Agreement Ending` is sent. */
export const endingDays = {
  Ending180: 180,
  Ending120: 120,
  Ending90: 90,
  Ending60: 60,
  Ending30: 30
} as const

/** The kinds of notices about an end or a renewal. */
export type NoticeKind = keyof typeof endingDays | "RenewalTermsFinalized" | "RenewalUpcoming"

const notice = (
  context: EventContext,
  detailType: NoticeType,
  { agreement, ...detail }: { readonly agreement?: object; readonly [name: string]: unknown }
) =>
  new AgreementNotice({
    ...envelopeFields(context),
    detailType,
    detail: {
      ...detailFields(context),
      agreement: { id: agreementIdOf(context.located), ...agreement },
      product: { id: productIdOf(context.product) },
      ...detail
    }
  })

/** Formats a time as in AWS's examples: without the milliseconds if they are zero. */
const timeText = (time: DateTime.Utc): string => DateTime.formatIso(time).replace(".000Z", "Z")

export const advisory = (state: "Issued" | "Resolved", context: EventContext) => {
  const time = timeText(DateTime.unsafeMake(context.at))
  return notice(context, `Purchase Agreement Advisory ${state} - Manufacturer`, {
    advisory: state === "Issued" ? { issuedAt: time } : { resolvedAt: time },
    offer: { id: offerIdOf(context.located) }
  })
}

const periodOf = (context: EventContext) => {
  const { endTime, startTime } = termsOf(context)
  return { startTime: timeText(startTime), endTime: timeText(endTime) }
}

export const ending = (daysBeforeEndTime: number) => (context: EventContext) =>
  notice(context, "Purchase Agreement Ending - Proposer", {
    agreement: {
      ...periodOf(context),
      status: "ACTIVE",
      daysBeforeEndTime,
      autoRenewalEnabled: context.located.agreement.renewal !== undefined
    },
    renewalSummary: { lockoutStartTime: lockoutText(context), disabledBy: null },
    offer: { id: offerIdOf(context.located) }
  })

const lockoutText = ({ located }: EventContext): string | null => {
  const lockout = lockoutOf(located.agreement)
  return lockout === undefined ? null : timeText(lockout)
}

/** The value of the contract is zero, because a sandbox has no prices. */
const contractValue = { tcv: "0.00", currency: "USD" }

export const renewalTermsFinalized = (context: EventContext) => {
  const { at, located } = context
  const lockout = lockoutOf(located.agreement)
  return notice(context, "Purchase Agreement Renewal Terms Finalized - Proposer", {
    agreement: periodOf(context),
    renewalSummary: {
      ...contractValue,
      termsFinalizedTime: timeText(DateTime.unsafeMake(at)),
      lockoutReached: lockout === undefined ? null : lockout.epochMillis <= at,
      lockoutStartTime: lockoutText(context)
    }
  })
}

export const renewalUpcoming = (context: EventContext) =>
  notice(context, "Purchase Agreement Renewal Upcoming - Proposer", {
    agreement: periodOf(context),
    renewalSummary: { lockoutReached: true, ...contractValue }
  })
