/** Delivers events to the targets of the scenario. Each target has a fiber that makes one delivery after the other. */
import * as Cause from "effect/Cause"
import * as Clock from "effect/Clock"
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as HashMap from "effect/HashMap"
import * as Option from "effect/Option"
import * as PubSub from "effect/PubSub"
import * as Queue from "effect/Queue"
import * as Random from "effect/Random"
import type { SnsTarget, Target } from "../../EventDelivery.js"
import { targetsOf } from "../model/emission.js"
import type { Attempt, Delivery, OutboxChange, OutboxEvent, Subscription } from "../model/outbox.js"
import { change, type State } from "../model/state.js"
import { persistently, runScheduledSteps, type SandboxRuntime } from "../runtime/runtime.js"
import type { Post, PostResult } from "./post.js"
import { confirmationRequest, isSuccess, requestOf, retryDelay } from "./requests.js"
import type { Sender } from "./snsMessage.js"

/** The addresses of the sandbox's server. */
export interface Addresses {
  /** The address that the server listens on. */
  readonly localUrl: string
  /** The address of the server in SNS messages. */
  readonly publicUrl: string
}

/** Delivers events until it is interrupted. Returns at once if the scenario has no targets. */
export const deliver = (
  runtime: SandboxRuntime,
  post: Post,
  { localUrl, publicUrl }: Addresses
): Effect.Effect<void> =>
  Effect.gen(function* () {
    const targets = targetsOf(yield* runtime.state).map(resolveUrl(localUrl))
    if (targets.length === 0) return
    // generates the key only when there is a message to sign, because the generation takes long
    const sender = Effect.map(runtime.keyPair, (key) => ({ key, baseUrl: publicUrl }))
    const context = { runtime, post, sender, localUrl }
    yield* Effect.all([runScheduledSteps(runtime), ...targets.map(deliverTo(context))], {
      concurrency: "unbounded",
      discard: true
    })
  })

/** Resolves a path to the local URL of the sandbox's server, because the server may not reach itself at its public URL. */
const resolveUrl =
  (localUrl: string) =>
  (target: Target): Target => ({ ...target, url: new URL(target.url, localUrl).href })

interface DeliveryContext {
  readonly runtime: SandboxRuntime
  readonly post: Post
  readonly sender: Effect.Effect<Sender>
  readonly localUrl: string
}

/** The context of the fiber of one target. */
interface TargetContext extends DeliveryContext {
  /** Signals that events, deliveries or the clock have changed. */
  readonly changed: Queue.Dequeue<void>
}

const deliverTo =
  (context: DeliveryContext) =>
  (target: Target): Effect.Effect<never> =>
    Effect.scoped(
      Effect.flatMap(PubSub.subscribe(context.runtime.changes), (changed) =>
        Effect.flatMap(context.runtime.state, (state) => {
          const task = nextTask({ ...context, changed }, state, target)
          return task === undefined ? Queue.take(changed) : task
        }).pipe(repeatLogged(target), Effect.forever)
      )
    )

/** Retries a task that dies, and logs only its first failure. */
const repeatLogged =
  ({ name }: Target) =>
  (task: Effect.Effect<void>): Effect.Effect<void> =>
    Effect.suspend(() => {
      let isLogged = false
      return persistently(
        Effect.tapErrorCause(task, (cause) => {
          if (isLogged || Cause.isInterruptedOnly(cause)) return Effect.void
          isLogged = true
          return Effect.logError(`A delivery to ${name} failed unexpectedly. It is repeated.`)
        })
      )
    })

/** Returns the next request to a target, or `undefined`. An SNS target gets no event before its subscription is confirmed. */
const nextTask = (
  context: TargetContext,
  state: State,
  target: Target
): Effect.Effect<void> | undefined => {
  if (target.type === "sns") {
    const subscription = subscriptionOf(state, target)
    if (subscription === undefined) {
      // the built-in receiver is subscribed only when there is a first event
      return isBuiltIn(context, target) && nextDelivery(state, target) === undefined
        ? undefined
        : beginSubscription(context, target)
    }
    if (subscription.state === "pending") {
      return isAwaitingConfirmation(target, subscription)
        ? undefined
        : confirm(context, target, subscription)
    }
  }
  const pending = nextDelivery(state, target)
  return pending && attempt(context, target, pending.event, pending.delivery)
}

const isBuiltIn = ({ localUrl }: DeliveryContext, { url }: Target): boolean =>
  url.startsWith(`${new URL(localUrl).origin}/_sandbox/`)

/** Returns the pending delivery with the lowest number, or `undefined`. */
const nextDelivery = (state: State, { name }: Target) => {
  let next: { readonly event: OutboxEvent; readonly delivery: Delivery } | undefined
  for (const event of state.outbox.events) {
    for (const delivery of event.deliveries) {
      if (delivery.target !== name || delivery.state !== "pending") continue
      if (next === undefined || delivery.number < next.delivery.number) next = { event, delivery }
    }
  }
  return next
}

const attempt = (
  context: TargetContext,
  target: Target,
  event: OutboxEvent,
  delivery: Delivery
): Effect.Effect<void> =>
  Effect.gen(function* () {
    const request = yield* requestOf(context.sender, target, event, delivery)
    const result = yield* context.post(request)
    const attempts = [...delivery.attempts, yield* attemptOf(context, result)]
    const delay = isSuccess(result) ? undefined : retryDelay(target, result, attempts.length)
    const attempted: Delivery = {
      ...delivery,
      attempts,
      state: isSuccess(result) ? "delivered" : delay === undefined ? "failed" : "pending"
    }
    // checks that the delivery still exists, because after a reset another delivery may have the same number
    yield* record(context, (state) =>
      hasDelivery(state, delivery)
        ? { _tag: "Delivery", event: event.number, delivery: attempted }
        : undefined
    )
    yield* pause(context, delay, (state) => hasDelivery(state, attempted))
  })

const hasDelivery = ({ outbox }: State, delivery: Delivery): boolean =>
  outbox.events.some(({ deliveries }) => deliveries.includes(delivery))

/** Waits before the next attempt, or until `isAwaited` is false because the attempt is no longer needed. */
const pause = (
  { changed, runtime }: TargetContext,
  delay: Duration.Duration | undefined,
  isAwaited: (state: State) => boolean
): Effect.Effect<void> =>
  delay === undefined
    ? Effect.void
    : Effect.raceFirst(
        Effect.sleep(delay),
        Queue.take(changed).pipe(
          Effect.zipRight(runtime.state),
          Effect.repeat({ while: isAwaited }),
          Effect.asVoid
        )
      )

/** Stores a pending subscription before its first request, so that its token is known when the receiver confirms it. */
const beginSubscription = (context: DeliveryContext, { name }: SnsTarget): Effect.Effect<void> =>
  Effect.gen(function* () {
    const digits = yield* Effect.replicateEffect(Random.nextIntBetween(0, 16), 64)
    const token = digits.map((digit) => digit.toString(16)).join("")
    yield* record(context, (state) => {
      // stores the URL of the scenario, because the resolved URL may change with each start
      const url = targetsOf(state).find((target) => target.name === name)?.url
      return url === undefined
        ? undefined
        : {
            _tag: "Subscription",
            target: name,
            subscription: { url, state: "pending", token, attempts: [] }
          }
    })
  })

/** Returns true if the `SubscriptionConfirmation` was received, or if sending it failed and is not retried. */
const isAwaitingConfirmation = (target: Target, { attempts }: Subscription): boolean => {
  const last = attempts.at(-1)
  return (
    last !== undefined &&
    (last.error === undefined ||
      retryDelay(
        target,
        { ...(last.status !== undefined && { status: last.status }) },
        attempts.length
      ) === undefined)
  )
}

const confirm = (
  context: TargetContext,
  target: SnsTarget,
  { token }: Subscription
): Effect.Effect<void> =>
  Effect.gen(function* () {
    const { runtime } = context
    const sender = yield* context.sender
    const at = yield* runtime.modify((state, clock) => [clock + state.offset, state])
    const result = yield* context.post(confirmationRequest(sender, target, token, at))
    const attempt = yield* attemptOf(context, result)
    // reads the state again, because the receiver may confirm before it responds
    const attempted = yield* persistently(
      runtime.modify((state): readonly [Subscription | undefined, State] => {
        const current = subscriptionOf(state, target)
        if (current === undefined || current.token !== token) return [undefined, state]
        const subscription = { ...current, attempts: [...current.attempts, attempt] }
        return [
          subscription,
          change(state, {
            _tag: "Outbox",
            change: { _tag: "Subscription", target: target.name, subscription }
          })
        ]
      })
    )
    if (attempted?.state === "pending" && !isSuccess(result)) {
      yield* pause(
        context,
        retryDelay(target, result, attempted.attempts.length),
        (state) => subscriptionOf(state, target) === attempted
      )
    }
  })

const subscriptionOf = ({ outbox }: State, { name }: Target): Subscription | undefined =>
  Option.getOrUndefined(HashMap.get(outbox.subscriptions, name))

const attemptOf = (
  { runtime }: DeliveryContext,
  { error, status }: PostResult
): Effect.Effect<Attempt> =>
  Effect.flatMap(Clock.currentTimeMillis, (clock) =>
    Effect.map(runtime.state, ({ offset }) => ({
      at: clock + offset,
      ...(status !== undefined && { status }),
      ...(!isSuccess({ ...(status !== undefined && { status }) }) && {
        error: error ?? `the status is ${status}`
      })
    }))
  )

/** Stores a change. Retries while the state file cannot be written, so that the same request is not sent again. */
const record = (
  { runtime }: DeliveryContext,
  changeOf: (state: State) => OutboxChange | undefined
): Effect.Effect<void> =>
  persistently(
    runtime.modify((state) => {
      const one = changeOf(state)
      return [undefined, one === undefined ? state : change(state, { _tag: "Outbox", change: one })]
    })
  )
