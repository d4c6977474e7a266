/**
 * The errors of a ledger. Each says what to do, and whether anything was stored.
 *
 * @since 0.1.0
 */
import * as Schema from "effect/Schema"

/**
 * The store could not be used: the disk is full, the server is away, a lock was held for too long.
 *
 * - `isStored`: `no` if certainly nothing was stored, `unknown` if the response to a commit was lost. In both cases the
 *   same call again is safe: ids are recorded once.
 * - `ids`: the ids of the events, also those that the ledger made. Record them again under these ids.
 *
 * @since 0.1.0
 * @category errors
 */
export class LedgerUnavailable extends Schema.TaggedError<LedgerUnavailable>(
  "effect-marketplace-metering/LedgerUnavailable"
)("LedgerUnavailable", {
  reason: Schema.String,
  isStored: Schema.Literal("no", "unknown"),
  ids: Schema.optional(Schema.Array(Schema.String))
}) {
  override get message(): string {
    return `the ledger is not available: ${this.reason}`
  }
}

/**
 * The store cannot be used as it is: a driver or a package is missing, settings are not safe, the database is of another
 * seller or target, or of a newer version, or its clock differs from that of this process. Or a reporter cannot be made: its
 * options are not valid, or its client calls another Region. `cure` says what to do.
 *
 * @since 0.1.0
 * @category errors
 */
export class LedgerConfigError extends Schema.TaggedError<LedgerConfigError>(
  "effect-marketplace-metering/LedgerConfigError"
)("LedgerConfigError", {
  reason: Schema.Literal(
    "invalidOptions",
    "driverMissing",
    "unsupportedServer",
    "unsafeSettings",
    "networkFileSystem",
    "otherSeller",
    "otherTarget",
    "otherRegion",
    "newerSchema",
    "notInitialized",
    "notALedger",
    "productConflict",
    "wrongClock"
  ),
  detail: Schema.String,
  cure: Schema.String
}) {
  override get message(): string {
    return `${this.detail}. ${this.cure}`
  }
}

/**
 * An event or a subscription that breaks a rule. Nothing of it was stored. `field` names what to correct, `expected` how.
 *
 * @since 0.1.0
 * @category errors
 */
export class InvalidEvent extends Schema.TaggedError<InvalidEvent>(
  "effect-marketplace-metering/InvalidEvent"
)("InvalidEvent", {
  id: Schema.optional(Schema.String),
  field: Schema.String,
  expected: Schema.String
}) {
  override get message(): string {
    return `${this.field}: expected ${this.expected}`
  }
}

/**
 * The id is recorded with other contents. What was recorded first stays, and nothing was added. `differs` names the fields.
 *
 * @since 0.1.0
 * @category errors
 */
export class EventConflict extends Schema.TaggedError<EventConflict>(
  "effect-marketplace-metering/EventConflict"
)("EventConflict", {
  id: Schema.String,
  differs: Schema.Array(Schema.String)
}) {
  override get message(): string {
    return `the event ${this.id} is recorded with another ${this.differs.join(", ")}. Give different usage an id of its own, and correct a quantity by adjust`
  }
}

/**
 * The hour of the usage is sealed, or its deadline has passed, and the product's policy for late usage is to reject it, or
 * no later hour of the subscription can take it. Nothing was stored.
 *
 * @since 0.1.0
 * @category errors
 */
export class EventTooLate extends Schema.TaggedError<EventTooLate>(
  "effect-marketplace-metering/EventTooLate"
)("EventTooLate", {
  id: Schema.String,
  /** The hour of the usage, in hours since 1970. */
  hour: Schema.Number,
  reason: Schema.Literal("sealed", "deadline", "closed")
}) {
  override get message(): string {
    return `the hour ${new Date(this.hour * 3_600_000).toISOString()} of the event ${this.id} can take no more usage (${this.reason}). Record usage sooner, or let the product carry late usage into the current hour (late: "carry")`
  }
}

/**
 * The time of the usage is more than 5 minutes ahead of the clock. Nothing was stored.
 *
 * @since 0.1.0
 * @category errors
 */
export class EventInFuture extends Schema.TaggedError<EventInFuture>(
  "effect-marketplace-metering/EventInFuture"
)("EventInFuture", {
  id: Schema.String,
  /** The time of the usage, in milliseconds since 1970. */
  at: Schema.Number
}) {
  override get message(): string {
    return `the event ${this.id} is dated in the future: correct its time, or the clock of this machine`
  }
}

/**
 * There is no subscription of this id, or none of its lineage covers the time of the usage. Nothing was stored.
 *
 * @since 0.1.0
 * @category errors
 */
export class UnknownSubscription extends Schema.TaggedError<UnknownSubscription>(
  "effect-marketplace-metering/UnknownSubscription"
)("UnknownSubscription", {
  subscription: Schema.String,
  reason: Schema.Literal("missing", "notActive")
}) {
  override get message(): string {
    return this.reason === "missing"
      ? `there is no subscription ${this.subscription}: add it by subscribe`
      : `the subscription ${this.subscription} is not active at the time of the usage`
  }
}

/**
 * A subscription that cannot be stored beside another: the same id with other contents, or the same product, customer and
 * time as another, whose usage would be billed twice.
 *
 * @since 0.1.0
 * @category errors
 */
export class SubscriptionConflict extends Schema.TaggedError<SubscriptionConflict>(
  "effect-marketplace-metering/SubscriptionConflict"
)("SubscriptionConflict", {
  subscription: Schema.String,
  other: Schema.String,
  detail: Schema.String
}) {
  override get message(): string {
    return `the subscription ${this.subscription} conflicts with ${this.other}: ${this.detail}`
  }
}

/**
 * The position of a source is not where the update starts: another consumer was faster, or an update was skipped. Nothing was
 * stored. Read the source again from `position`.
 *
 * @since 0.1.0
 * @category errors
 */
export class SourceConflict extends Schema.TaggedError<SourceConflict>(
  "effect-marketplace-metering/SourceConflict"
)("SourceConflict", {
  source: Schema.String,
  partition: Schema.String,
  position: Schema.String
}) {
  override get message(): string {
    return `the source ${this.source}/${this.partition} is at ${this.position}: read it again from there`
  }
}

/**
 * Another worker holds the lease, or has held it since. What was to be sent was not sent.
 *
 * @since 0.1.0
 * @category errors
 */
export class LeaseLost extends Schema.TaggedError<LeaseLost>(
  "effect-marketplace-metering/LeaseLost"
)("LeaseLost", { region: Schema.String, holder: Schema.optional(Schema.String) }) {
  override get message(): string {
    return `the lease of ${this.region} is held by ${this.holder ?? "another worker"}`
  }
}

/**
 * The database is older than this worker has seen it, as after the restore of a backup: what was billed since is not known to
 * it. Reporting stops until `ledger recover`.
 *
 * @since 0.1.0
 * @category errors
 */
export class LedgerRolledBack extends Schema.TaggedError<LedgerRolledBack>(
  "effect-marketplace-metering/LedgerRolledBack"
)("LedgerRolledBack", { detail: Schema.String }) {
  override get message(): string {
    return `the ledger was rolled back: ${this.detail}. Reporting is stopped; see ledger recover`
  }
}
