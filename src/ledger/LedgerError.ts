/**
 * The errors of a ledger. Each documents what to do, and whether anything was stored.
 *
 * @since 0.1.0
 */
import * as Schema from "effect/Schema"

/**
 * The store is not available: the disk is full, the server cannot be reached, a lock was held for too long.
 *
 * - `isStored`: `no` if nothing was stored, `unknown` if the response to a commit was lost. In both cases it is safe to retry the
 *   same call, because each id is recorded once.
 * - `ids`: the ids of the events, including ids that the ledger generated. To retry, record the events under these ids.
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
 * A configuration that has to be corrected. The store cannot be used: a driver or a package is missing, settings are not safe, the
 * database belongs to another seller or target or a newer version, or its clock differs from the clock of this process. Or a reporter
 * cannot be made: its options are not valid, or its client calls another Region. `cure` says what to do.
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
 * An invalid event, correction, subscription or filter. Nothing was stored. `field` is the invalid field, and `expected` describes
 * its valid values.
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
 * An event with the same id is recorded with other contents. The recorded event is unchanged, and nothing was added. `differs` names
 * the fields that differ.
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
 * The hour of the usage is sealed (`sealed`) or past its deadline (`deadline`) and the product rejects late usage, or the product
 * carries late usage but no later hour of the subscription is open (`closed`). Nothing was stored.
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
 * The time of the usage is more than 5 minutes in the future. Nothing was stored.
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
 * There is no subscription with this id (`missing`), or neither it nor the subscriptions that precede and follow it are active at the
 * time of the usage (`notActive`). Nothing was stored.
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
 * A subscription that conflicts with a stored one: the same id with other contents, or the same product, customer and time, which
 * would bill the usage twice.
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
 * The stored position of a source is not the `from` of the update: another consumer has moved it, or an update was skipped. Nothing
 * was stored. Read the source again from `position`.
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
 * Another worker holds the lease, or has held it in the meantime. The call was not sent.
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
 * The database is in an older state than this worker has seen, for example because a backup was restored. It does not know what was
 * billed since then. Reporting stops until `ledger recover`.
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
