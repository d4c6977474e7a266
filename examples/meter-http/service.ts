/**
 * An HTTP API that bills each request: the usage is recorded in a ledger before the response leaves, and a reporter in the same
 * process bills it after the hour. See service.test.ts for a run against a sandbox.
 */
import {
  HttpApi,
  HttpApiBuilder,
  HttpApiEndpoint,
  HttpApiGroup,
  HttpApiMiddleware,
  HttpApiSchema,
  HttpApiSecurity
} from "@effect/platform"
import { Context, Effect, Layer, Redacted, Schema } from "effect"
import { UsageLedger } from "effect-marketplace-metering/ledger"

/** The subscription that a request is billed to. */
class Subscription extends Context.Tag("Subscription")<Subscription, string>() {}

class Unauthorized extends Schema.TaggedError<Unauthorized>()(
  "Unauthorized",
  {},
  HttpApiSchema.annotations({ status: 401 })
) {}

/** The usage could not be recorded, so that the work is not delivered. The client may try again. */
class NotMetered extends Schema.TaggedError<NotMetered>()(
  "NotMetered",
  { message: Schema.String },
  HttpApiSchema.annotations({ status: 503 })
) {}

class Authorization extends HttpApiMiddleware.Tag<Authorization>()("Authorization", {
  provides: Subscription,
  failure: Unauthorized,
  security: { key: HttpApiSecurity.apiKey({ key: "x-api-key", in: "header" }) }
}) {}

const convert = HttpApiEndpoint.post("convert", "/convert")
  // the same id again, after a lost response, is billed once
  .setHeaders(Schema.Struct({ "x-request-id": Schema.optional(Schema.String) }))
  .setPayload(Schema.Struct({ text: Schema.String.pipe(Schema.maxLength(100_000)) }))
  .addSuccess(Schema.Struct({ text: Schema.String }))
  .addError(NotMetered)

export const Api = HttpApi.make("documents").add(
  HttpApiGroup.make("documents").add(convert).middleware(Authorization)
)

const DocumentsLive = HttpApiBuilder.group(Api, "documents", (handlers) =>
  Effect.map(UsageLedger.UsageLedger, (ledger) =>
    handlers.handle("convert", ({ headers, payload }) =>
      Effect.gen(function* () {
        const subscription = yield* Subscription
        const id = headers["x-request-id"]
        const text = payload.text.toUpperCase()
        yield* ledger
          .record({
            ...(id !== undefined && { id: `${subscription}/${id}` }),
            subscription,
            dimension: "megabytes",
            // exact: the dimension has 6 decimal places
            quantity: new TextEncoder().encode(text).length / 1_000_000
          })
          .pipe(Effect.mapError(({ message }) => new NotMetered({ message })))
        return { text }
      })
    )
  )
)

/** The API, with the subscription of each API key. */
export const ApiLive = (keys: ReadonlyMap<string, string>) =>
  HttpApiBuilder.api(Api).pipe(
    Layer.provide(DocumentsLive),
    Layer.provide(
      Layer.succeed(Authorization, {
        key: (key) =>
          Effect.fromNullable(keys.get(Redacted.value(key))).pipe(
            Effect.mapError(() => new Unauthorized())
          )
      })
    )
  )

export const products: NonNullable<UsageLedger.Options["products"]> = {
  documents: {
    region: "us-east-1",
    productCode: "documents-code",
    dimensions: { megabytes: { scale: 6 } }
  }
}
