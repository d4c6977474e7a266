/** Evidence of the sender of a message. Only this package can create it. */

const TrustId: unique symbol = Symbol.for("effect-marketplace-metering/Trust")

/**
 * The message was read from the seller's own queue, or invoked the seller's own Lambda function. The resource policy of the
 * queue or function lets only AWS services send.
 *
 * @since 0.1.0
 * @category models
 */
export class Queue {
  readonly [TrustId] = TrustId
  readonly _tag = "Queue"
}

/**
 * The SNS signature of the message was verified. `topicArn` is the allowed topic that sent it. The evidence is valid for this
 * message only.
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
  /** Compares by identity, because a copy may differ from the verified notification. */
  covers(input: unknown): boolean {
    return input === this.#notification
  }
}

/**
 * The request contained the shared secret of the connection of an EventBridge API destination.
 *
 * @since 0.1.0
 * @category models
 */
export class Secret {
  readonly [TrustId] = TrustId
  readonly _tag = "Secret"
}
