/** Evidence of the sender of a message. Only this package makes some. */

const TrustId: unique symbol = Symbol.for("effect-marketplace-metering/Trust")

/**
 * The message was read from a queue of the seller, or given to a function of theirs, whose resource policy lets only AWS
 * services send.
 *
 * @since 0.1.0
 * @category models
 */
export class Queue {
  readonly [TrustId] = TrustId
  readonly _tag = "Queue"
}

/**
 * The signature of SNS was verified, for one of the allowed topics. `topicArn` is the topic. The evidence is of one message
 * only.
 *
 * @since 0.1.0
 * @category models
 */
export class Signature {
  readonly _tag = "Signature"
  readonly #notification: object
  constructor(
    notification: object,
    readonly topicArn: string
  ) {
    this.#notification = notification
  }
  /** Compares by identity: a copy may differ from what was verified. */
  covers(input: unknown): boolean {
    return input === this.#notification
  }
}

/**
 * The request had the secret that was given to the connection of an EventBridge API destination.
 *
 * @since 0.1.0
 * @category models
 */
export class Secret {
  readonly [TrustId] = TrustId
  readonly _tag = "Secret"
}
