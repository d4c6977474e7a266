/** The steps that fall due at the beginning and the end of agreements, and at the notices before an end. */
import * as HashMap from "effect/HashMap"
import * as HashSet from "effect/HashSet"
import type { Agreement } from "../scenario/models.js"
import {
  agreementIdOf,
  agreementsOf,
  beforeEnd,
  type LocatedAgreement,
  locateAgreement
} from "./agreement.js"
import type { Catalog } from "./catalog.js"
import type { DueStep, DueSteps, TermKind } from "./dueSteps.js"
import * as dueSteps from "./dueSteps.js"
import { endingDays, type NoticeKind } from "./notices.js"

/** Terms whose events were sent, by `announcementKey`. */
export type Announced = HashSet.HashSet<string>

interface Term {
  readonly kind: TermKind | NoticeKind
  readonly at: number
}

/** With the time, since a changed scenario may give an agreement another beginning or end. A failed payment is an end. */
export const announcementKey = (agreementId: string, kind: Term["kind"], at: number): string =>
  `${agreementId} ${kind === "Fail" ? "End" : kind} ${at}`

const millisOf = (time: Agreement["endsAt"]): number => time?.epochMillis ?? Infinity

export const endOf = ({ cancelledAt, endsAt, failedAt }: Agreement): number =>
  Math.min(millisOf(cancelledAt), millisOf(endsAt), millisOf(failedAt))

/** An agreement ends once, and does not start after its end. */
const termsOf = (agreement: Agreement): ReadonlyArray<Term> => {
  const [startsAt, endsAt] = [agreement.startsAt?.epochMillis ?? -Infinity, endOf(agreement)]
  const end: Term = { kind: millisOf(agreement.failedAt) === endsAt ? "Fail" : "End", at: endsAt }
  const terms: ReadonlyArray<Term> =
    startsAt <= endsAt ? [{ kind: "Start", at: startsAt }, ...noticesOf(agreement), end] : [end]
  return terms.filter(({ at }) => Number.isFinite(at))
}

/** Notices are sent to the proposer, while the agreement is active. */
const noticesOf = (agreement: Agreement): ReadonlyArray<Term> => {
  const { renewal, reseller, startsAt } = agreement
  if (reseller !== undefined) return []
  const days: ReadonlyArray<readonly [NoticeKind, number | undefined]> = [
    // the keys of the table are notices
    ...(Object.entries(endingDays) as ReadonlyArray<[keyof typeof endingDays, number]>),
    ["RenewalTermsFinalized", renewal?.termsFinalizedDays],
    ["RenewalUpcoming", renewal?.lockoutDays]
  ]
  return days.flatMap(([kind, daysBefore]) => {
    const at = millisOf(beforeEnd(agreement, daysBefore))
    const isBefore = startsAt !== undefined && at < startsAt.epochMillis
    return isBefore || at >= endOf(agreement) ? [] : { kind, at }
  })
}

/** Those whose events were not sent. There are none after the end of an agreement was announced. */
const openTermsOf = (located: LocatedAgreement, announced: Announced): ReadonlyArray<Term> => {
  const { agreement } = located
  const terms = termsOf(agreement)
  if (terms.length === 0) return terms
  const id = agreementIdOf(located)
  const isOpen = ({ at, kind }: Term) => !HashSet.has(announced, announcementKey(id, kind, at))
  return isOpen({ kind: "End", at: endOf(agreement) }) ? terms.filter(isOpen) : []
}

/**
 * The time that decides the state of an agreement: now, but not before a beginning or an end that was announced. The
 * clock may have been moved back.
 */
export const agreementTime = (
  announced: Announced,
  located: LocatedAgreement,
  now: number
): number => {
  const { agreement } = located
  const id = agreementIdOf(located)
  const reached = (kind: TermKind, at: number) =>
    Number.isFinite(at) && HashSet.has(announced, announcementKey(id, kind, at)) ? at : now
  return Math.max(
    now,
    reached("Start", millisOf(agreement.startsAt)),
    reached("End", endOf(agreement))
  )
}

interface Plan {
  readonly catalog: Catalog
  readonly announced: Announced
  readonly due: DueSteps
  /** The number of the next step. */
  readonly next: number
}

/**
 * The due steps of the agreements as they are now: without those of other agreements or with other times, and with those
 * that lie ahead of the clock.
 */
export const replan = (
  { announced, catalog, due, next }: Plan,
  now: number
): ReadonlyArray<DueStep> => {
  const open = [...HashMap.values(catalog.customers)]
    .flatMap(agreementsOf)
    .flatMap((located) => openSteps(located, announced))
  const openKeys = new Set(open.map(keyOf))
  const kept = Array.from(dueSteps.values(due)).filter((step) =>
    isTerm(step) ? openKeys.has(keyOf(step)) : locateAgreement(catalog, step) !== undefined
  )
  const keptKeys = new Set(kept.map(keyOf))
  const missing = open.filter((step) => isAfter(now)(step) && !keptKeys.has(keyOf(step)))
  return [...kept, ...numbered(missing, next)]
}

export const isTerm = ({ kind }: DueStep): boolean =>
  kind === "Start" || kind === "End" || kind === "Fail" || isNotice(kind)

export const isNotice = (kind: DueStep["kind"]): kind is NoticeKind =>
  kind in endingDays || kind === "RenewalTermsFinalized" || kind === "RenewalUpcoming"

type NewStep = Omit<DueStep, "number" | "at"> & { readonly at: number }

const keyOf = ({ agreementId, at, kind }: Pick<DueStep, "agreementId" | "at" | "kind">): string =>
  `${agreementId} ${kind} ${at}`

/** The beginning and the end of an agreement, as far as they were not announced. */
const openSteps = (located: LocatedAgreement, announced: Announced): ReadonlyArray<NewStep> =>
  openTermsOf(located, announced).map(({ at, kind }) => ({
    kind,
    at,
    account: located.customer.customerAWSAccountId,
    agreementId: agreementIdOf(located)
  }))

/** Those that lie ahead of the clock. */
export const stepsAhead = (
  located: LocatedAgreement,
  announced: Announced,
  now: number
): ReadonlyArray<NewStep> => openSteps(located, announced).filter(isAfter(now))

const isAfter =
  (now: number) =>
  ({ at }: NewStep): boolean =>
    at > now

/** Numbers new steps in their order, after those of the same time. */
const numbered = (steps: ReadonlyArray<NewStep>, next: number): ReadonlyArray<DueStep> =>
  [...steps]
    .sort((left, right) => left.at - right.at)
    .map((step, i) => ({ ...step, number: next + i }))
