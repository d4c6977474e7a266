/** Subscriptions that begin, follow one another and end. */
import { DateTime, Effect, Either } from "effect"
import { accounts, hour, minute, type Product, type World } from "./world.js"

const add = (
  world: World,
  {
    account,
    follows,
    from,
    id,
    lineage,
    product
  }: {
    readonly id: string
    readonly lineage: string
    readonly account: string
    readonly product: Product
    readonly from: number
    readonly follows?: string
  }
) =>
  Effect.gen(function* () {
    const result = yield* world.withLedger((ledger) =>
      ledger.subscribe({
        id,
        product,
        customerAWSAccountId: account,
        from: DateTime.unsafeMake(from),
        ...(follows !== undefined && { follows })
      })
    )
    if (Either.isLeft(result)) world.unexpected.push(`${id} is not added: ${result.left._tag}`)
    else {
      world.subscriptions.push({
        ...{ id, lineage, account, product, from },
        ...{ isEnding: false, closedAt: undefined, isFollowed: false }
      })
    }
  })

/** One subscription of each customer to each product. */
export const subscribeAll = (world: World) =>
  Effect.forEach(accounts, (account) =>
    Effect.forEach(["analytics", "search"] as const, (product) => {
      const id = `${product}-${account}`
      const from = world.startsAt - 30 * hour
      return add(world, { id, lineage: id, account, product, from })
    })
  )

const isLast = ({ closedAt, isFollowed }: World["subscriptions"][number]) =>
  closedAt === undefined && !isFollowed

/** Renews a subscription, from a time shortly before now or later. */
export const renew = (world: World) =>
  Effect.gen(function* () {
    const { count, note, now, random, subscriptions } = world
    const old = random.pick(subscriptions.filter(isLast))
    const from = now() + random.pick([-20 * minute, 0, 30 * minute, 3 * hour])
    if (old === undefined || from <= old.from) return
    old.isFollowed = true
    const id = `${old.lineage}-from-${subscriptions.length}`
    note(`${id} follows ${old.id}, from ${new Date(from).toISOString()}`)
    yield* add(world, { ...old, id, from, follows: old.id })
    count("renewed")
  })

/** Ends a subscription that no other follows, if others are left. */
export const close = (world: World) =>
  Effect.gen(function* () {
    const { count, note, now, random, subscriptions, withLedger } = world
    const open = subscriptions.filter((one) => isLast(one) && one.from < now())
    if (open.length < 3) return
    const subscription = random.pick(open)
    note(`close ${subscription.id}`)
    subscription.isEnding = true
    yield* withLedger((ledger) => ledger.close(subscription.id))
    subscription.closedAt = now()
    count("closed")
  })
