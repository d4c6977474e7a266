/** Events in queues of an SQS emulator, read by the official client. The emulator requires Node.js 22.5. */
import {
  CreateQueueCommand,
  DeleteMessageCommand,
  ReceiveMessageCommand,
  SQSClient
} from "@aws-sdk/client-sqs"
import { assert, describe, it } from "@effect/vitest"
import { Effect, Either, Layer } from "effect"
import { startFauxqs } from "fauxqs"
import { MarketplaceEvent, Trust } from "../../src/lifecycle/index.js"
import { type EventDelivery, MeteringSandbox, SandboxServer } from "../../src/sandbox/index.js"
import { eventually } from "./http.js"
import { analytics } from "./support.js"

const emulator = Effect.acquireRelease(
  Effect.promise(() => startFauxqs({ port: 0, logger: false })),
  (server) => Effect.promise(() => server.stop())
)

const makeClient = (endpoint: string) =>
  Effect.acquireRelease(
    Effect.sync(
      () =>
        new SQSClient({
          endpoint,
          region: "us-east-1",
          credentials: { accessKeyId: "test", secretAccessKey: "test" }
        })
    ),
    (client) => Effect.sync(() => client.destroy())
  )

describe("a queue of the emulator", () => {
  it.effect.each([
    ["events", "eventBridge", ["AgreementCreated", "AgreementEnded"]],
    ["events.fifo", "eventBridge", ["AgreementCreated", "AgreementEnded"]],
    ["wrapped", "sns", ["SubscribeSuccess", "UnsubscribePending"]],
    ["raw", "raw", ["SubscribeSuccess", "UnsubscribePending"]]
  ] as const)("%s gets messages of the envelope %s", ([name, envelope, expected]) =>
    Effect.gen(function* () {
      const { port } = yield* emulator
      const endpoint = `http://127.0.0.1:${port}`
      const client = yield* makeClient(endpoint)
      const { QueueUrl } = yield* Effect.promise(() =>
        client.send(
          new CreateQueueCommand({
            QueueName: name,
            ...(name.endsWith(".fifo") && { Attributes: { FifoQueue: "true" } })
          })
        )
      )
      const target: EventDelivery.Target = {
        type: "sqs",
        name: "queue",
        url: String(QueueUrl),
        envelope,
        endpoint
      }
      const receive = Effect.promise(async () => {
        const { Messages = [] } = await client.send(
          new ReceiveMessageCommand({ QueueUrl, MaxNumberOfMessages: 10 })
        )
        for (const { ReceiptHandle } of Messages) {
          await client.send(new DeleteMessageCommand({ QueueUrl, ReceiptHandle }))
        }
        return Messages
      })
      const messages: Array<object> = []
      yield* Effect.gen(function* () {
        const { marketplace } = yield* MeteringSandbox.MeteringSandbox
        const customer = { customerAWSAccountId: "777788889999" }
        yield* marketplace.buy({
          ...customer,
          customerIdentifier: "cust-new",
          productCode: analytics,
          licenseArn: null
        })
        yield* marketplace.cancel(customer)
        yield* eventually(
          Effect.map(receive, (received) => messages.push(...received)),
          (count) => count >= expected.length
        )
      }).pipe(
        Effect.provide(
          Layer.provideMerge(
            SandboxServer.layerNode(),
            MeteringSandbox.layer({ targets: [target] })
          )
        )
      )
      const tags = messages
        .flatMap((message) => MarketplaceEvent.decode(message, Trust.queue))
        .map(Either.match({ onLeft: String, onRight: ({ event }) => event._tag }))
      assert.deepStrictEqual(tags, [...expected])
    }).pipe(Effect.scoped)
  )
})
