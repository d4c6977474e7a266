/** The milestones of agreements (start, notices before the end, and end) and the scheduled steps for them. */
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
import { endingDays, type NoticeKind } from "./notices.js"
import type { MilestoneKind, ScheduledStep, ScheduledSteps } from "./scheduledSteps.js"
import * as scheduledSteps from "./scheduledSteps.js"

/** The milestones whose events were sent, by `announcementKey`. */
export type Announced = HashSet.HashSet<string>

interface Milestone {
  readonly kind: MilestoneKind | NoticeKind
  readonly at: number
}

/** The key contains the time, because a changed scenario may give an agreement another start or end. `Fail` counts as `End`. */
export const announcementKey = (agreementId: string, kind: Milestone["kind"], at: number): string =>
  `${agreementId} ${kind === "Fail" ? "End" : kind} ${at}`

const millisOf = (time: Agreement["endsAt"]): number => time?.epochMillis ?? Infinity

export const endOf = ({ cancelledAt, endsAt, failedAt }: Agreement): number =>
  Math.min(millisOf(cancelledAt), millisOf(endsAt), millisOf(failedAt))

/** Returns the milestones of an agreement: one end, and no start or notices if the start is after the end. */
const milestonesOf = (agreement: Agreement): ReadonlyArray<Milestone> => {
  const [startsAt, endsAt] = [agreement.startsAt?.epochMillis ?? -Infinity, endOf(agreement)]
  const end: Milestone = {
    kind: millisOf(agreement.failedAt) === endsAt ? "Fail" : "End",
    at: endsAt
  }
  const milestones: ReadonlyArray<Milestone> =
    startsAt <= endsAt ? [{ kind: "Start", at: startsAt }, ...noticesOf(agreement), end] : [end]
  return milestones.filter(({ at }) => Number.isFinite(at))
}

/** Returns the notices to send while the agreement is active. The seller gets none if a reseller is the proposer. */
const noticesOf = (agreement: Agreement): ReadonlyArray<Milestone> => {
  const { renewal, reseller, startsAt } = agreement
  if (reseller !== undefined) return []
  const days: ReadonlyArray<readonly [NoticeKind, number | undefined]> = [
    // the cast is safe, because `Object.entries` only widens the keys to string
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

/** Returns the milestones whose events were not sent. Returns none once the end of the agreement was announced. */
const openMilestonesOf = (
  located: LocatedAgreement,
  announced: Announced
): ReadonlyArray<Milestone> => {
  const { agreement } = located
  const milestones = milestonesOf(agreement)
  if (milestones.length === 0) return milestones
  const id = agreementIdOf(located)
  const isOpen = ({ at, kind }: Milestone) => !HashSet.has(announced, announcementKey(id, kind, at))
  return isOpen({ kind: "End", at: endOf(agreement) }) ? milestones.filter(isOpen) : []
}

/**
 * Returns the time that decides the state of an agreement: now, or its latest announced start or end if that is later than now,
 * because the clock was moved back.
 */
export const agreementTime = (
  announced: Announced,
  located: LocatedAgreement,
  now: number
): number => {
  const { agreement } = located
  const id = agreementIdOf(located)
  const reached = (kind: MilestoneKind, at: number) =>
    Number.isFinite(at) && HashSet.has(announced, announcementKey(id, kind, at)) ? at : now
  return Math.max(
    now,
    reached("Start", millisOf(agreement.startsAt)),
    reached("End", endOf(agreement))
  )
}

interface ScheduleInput {
  readonly catalog: Catalog
  readonly announced: Announced
  readonly scheduled: ScheduledSteps
  /** The number of the next step. */
  readonly next: number
}

/**
 * Schedules the steps of all agreements again. Keeps the scheduled steps that still match an agreement, and adds the missing steps
 * after `now`.
 */
export const reschedule = (
  { announced, catalog, next, scheduled }: ScheduleInput,
  now: number
): ReadonlyArray<ScheduledStep> => {
  const open = [...HashMap.values(catalog.customers)]
    .flatMap(agreementsOf)
    .flatMap((located) => openSteps(located, announced))
  const openKeys = new Set(open.map(keyOf))
  const kept = Array.from(scheduledSteps.values(scheduled)).filter((step) =>
    isMilestone(step) ? openKeys.has(keyOf(step)) : locateAgreement(catalog, step) !== undefined
  )
  const keptKeys = new Set(kept.map(keyOf))
  const missing = open.filter((step) => isAfter(now)(step) && !keptKeys.has(keyOf(step)))
  return [...kept, ...numbered(missing, next)]
}

export const isMilestone = ({ kind }: ScheduledStep): boolean =>
  kind === "Start" || kind === "End" || kind === "Fail" || isNotice(kind)

export const isNotice = (kind: ScheduledStep["kind"]): kind is NoticeKind =>
  kind in endingDays || kind === "RenewalTermsFinalized" || kind === "RenewalUpcoming"

type NewStep = Omit<ScheduledStep, "number" | "at"> & { readonly at: number }

const keyOf = ({
  agreementId,
  at,
  kind
}: Pick<ScheduledStep, "agreementId" | "at" | "kind">): string => `${agreementId} ${kind} ${at}`

/** Returns the steps for the milestones of an agreement that were not announced. */
const openSteps = (located: LocatedAgreement, announced: Announced): ReadonlyArray<NewStep> =>
  openMilestonesOf(located, announced).map(({ at, kind }) => ({
    kind,
    at,
    account: located.customer.customerAWSAccountId,
    agreementId: agreementIdOf(located)
  }))

/** Returns the steps for the milestones after `now` that were not announced. */
export const stepsAhead = (
  located: LocatedAgreement,
  announced: Announced,
  now: number
): ReadonlyArray<NewStep> => openSteps(located, announced).filter(isAfter(now))

const isAfter =
  (now: number) =>
  ({ at }: NewStep): boolean =>
    at > now

/** Numbers new steps in the order of their times, from `next` on. */
const numbered = (steps: ReadonlyArray<NewStep>, next: number): ReadonlyArray<ScheduledStep> =>
  [...steps]
    .sort((left, right) => left.at - right.at)
    .map((step, i) => ({ ...step, number: next + i }))
