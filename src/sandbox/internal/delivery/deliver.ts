/** Delivers events to the targets of the scenario: for each target one fiber, one delivery after the other. */
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
import { keepTime, persistently, type SandboxRuntime } from "../runtime/runtime.js"
import type { Post, PostResult } from "./post.js"
import { confirmationRequest, isSuccess, requestOf, retryDelay } from "./requests.js"
import type { Sender } from "./snsMessage.js"

/** The addresses of the sandbox's server. */
export interface Addresses {
  /** The address that it listens on. */
  readonly localUrl: string
  /** The address in SNS messages. */
  readonly publicUrl: string
}

/** Runs until it is interrupted. */
export const deliver = (
  runtime: SandboxRuntime,
  post: Post,
  { localUrl, publicUrl }: Addresses
): Effect.Effect<void> =>
  Effect.gen(function* () {
    const targets = targetsOf(yield* runtime.state).map(resolveUrl(localUrl))
    if (targets.length === 0) return
    // the key takes long to generate, so it is not before a message is to be signed
    const sender = Effect.map(runtime.keyPair, (key) => ({ key, baseUrl: publicUrl }))
    const courier = { runtime, post, sender, localUrl }
    yield* Effect.all([keepTime(runtime), ...targets.map(work(courier))], {
      concurrency: "unbounded",
      discard: true
    })
  })

/** A receiver may be a path of the sandbox's own server, which need not reach itself at its public address. */
const resolveUrl =
  (localUrl: string) =>
  (target: Target): Target => ({ ...target, url: new URL(target.url, localUrl).href })

interface Courier {
  readonly runtime: SandboxRuntime
  readonly post: Post
  readonly sender: Effect.Effect<Sender>
  readonly localUrl: string
}

/** The courier of one target. */
interface Worker extends Courier {
  /** Signals that events, deliveries or the clock have changed. */
  readonly changed: Queue.Dequeue<void>
}

const work =
  (courier: Courier) =>
  (target: Target): Effect.Effect<never> =>
    Effect.scoped(
      Effect.flatMap(PubSub.subscribe(courier.runtime.changes), (changed) =>
        Effect.flatMap(courier.runtime.state, (state) => {
          const task = nextTask({ ...courier, changed }, state, target)
          return task === undefined ? Queue.take(changed) : task
        }).pipe(repeatLogged(target), Effect.forever)
      )
    )

/** Repeats a task that dies, and logs only its first failure. */
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

/** The next request to a target. An SNS target gets no event before its subscription is confirmed. */
const nextTask = (
  courier: Worker,
  state: State,
  target: Target
): Effect.Effect<void> | undefined => {
  if (target.type === "sns") {
    const subscription = subscriptionOf(state, target)
    if (subscription === undefined) {
      // the built-in receiver subscribes with the first event
      return isOwn(courier, target) && nextDelivery(state, target) === undefined
        ? undefined
        : begin(courier, target)
    }
    if (subscription.state === "pending") {
      return isAwaited(target, subscription) ? undefined : confirm(courier, target, subscription)
    }
  }
  const pending = nextDelivery(state, target)
  return pending && attempt(courier, target, pending.event, pending.delivery)
}

const isOwn = ({ localUrl }: Courier, { url }: Target): boolean =>
  url.startsWith(`${new URL(localUrl).origin}/_sandbox/`)

/** Deliveries are made in the order of their numbers. */
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
  courier: Worker,
  target: Target,
  event: OutboxEvent,
  delivery: Delivery
): Effect.Effect<void> =>
  Effect.gen(function* () {
    const request = yield* requestOf(courier.sender, target, event, delivery)
    const result = yield* courier.post(request)
    const attempts = [...delivery.attempts, yield* attemptOf(courier, result)]
    const delay = isSuccess(result) ? undefined : retryDelay(target, result, attempts.length)
    const attempted: Delivery = {
      ...delivery,
      attempts,
      state: isSuccess(result) ? "delivered" : delay === undefined ? "failed" : "pending"
    }
    // after a reset there may be another delivery of the same number
    yield* record(courier, (state) =>
      hasDelivery(state, delivery)
        ? { _tag: "Delivery", event: event.number, delivery: attempted }
        : undefined
    )
    yield* pause(courier, delay, (state) => hasDelivery(state, attempted))
  })

const hasDelivery = ({ outbox }: State, delivery: Delivery): boolean =>
  outbox.events.some(({ deliveries }) => deliveries.includes(delivery))

/** Waits before the next attempt, as long as there is one to be made. */
const pause = (
  { changed, runtime }: Worker,
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

/** Stores the subscription first, so that its token is known when the confirmation arrives. */
const begin = (courier: Courier, { name }: SnsTarget): Effect.Effect<void> =>
  Effect.gen(function* () {
    const digits = yield* Effect.replicateEffect(Random.nextIntBetween(0, 16), 64)
    const token = digits.map((digit) => digit.toString(16)).join("")
    yield* record(courier, (state) => {
      // not the resolved one, which may be another one after each start
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

/** True if the confirmation was received, or the last attempt to send it has failed. */
const isAwaited = (target: Target, { attempts }: Subscription): boolean => {
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
  courier: Worker,
  target: SnsTarget,
  { token }: Subscription
): Effect.Effect<void> =>
  Effect.gen(function* () {
    const { runtime } = courier
    const sender = yield* courier.sender
    const at = yield* runtime.modify((state, clock) => [clock + state.offset, state])
    const result = yield* courier.post(confirmationRequest(sender, target, token, at))
    const attempt = yield* attemptOf(courier, result)
    // the receiver may have confirmed before it responded
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
        courier,
        retryDelay(target, result, attempted.attempts.length),
        (state) => subscriptionOf(state, target) === attempted
      )
    }
  })

const subscriptionOf = ({ outbox }: State, { name }: Target): Subscription | undefined =>
  Option.getOrUndefined(HashMap.get(outbox.subscriptions, name))

const attemptOf = ({ runtime }: Courier, { error, status }: PostResult): Effect.Effect<Attempt> =>
  Effect.flatMap(Clock.currentTimeMillis, (clock) =>
    Effect.map(runtime.state, ({ offset }) => ({
      at: clock + offset,
      ...(status !== undefined && { status }),
      ...(!isSuccess({ ...(status !== undefined && { status }) }) && {
        error: error ?? `the status is ${status}`
      })
    }))
  )

/** Repeated while it cannot be written to the state file, so that what was sent is not sent again. */
const record = (
  { runtime }: Courier,
  changeOf: (state: State) => OutboxChange | undefined
): Effect.Effect<void> =>
  persistently(
    runtime.modify((state) => {
      const one = changeOf(state)
      return [undefined, one === undefined ? state : change(state, { _tag: "Outbox", change: one })]
    })
  )
