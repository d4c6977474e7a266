/**
 * The built-in registration page and the built-in receiver of events, which replace the seller's own code. They keep the last
 * requests in memory. The sandbox's pages show them.
 */
import type * as HttpServerError from "@effect/platform/HttpServerError"
import type * as HttpServerRequest from "@effect/platform/HttpServerRequest"
import * as HttpServerResponse from "@effect/platform/HttpServerResponse"
import * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import * as Ref from "effect/Ref"
import * as Schema from "effect/Schema"
import type { EntitlementFilter } from "../../../entitlement/GetEntitlements.js"
import type { MeteringClient } from "../../../MeteringClient.js"
import type { Target } from "../../EventDelivery.js"
import type { Service } from "../../MeteringSandbox.js"
import type { Entitlement } from "../../Scenario.js"
import { pathOf, readBody } from "./requestReader.js"

type Request = HttpServerRequest.HttpServerRequest
type Response = HttpServerResponse.HttpServerResponse

/** A customer as ResolveCustomer returns it. */
export interface RegisteredCustomer {
  readonly customerAWSAccountId?: string | undefined
  readonly customerIdentifier?: string | undefined
  readonly productCode?: string | undefined
  readonly licenseArn?: string | undefined
}

/** A request to the registration page: the resolved customer, or the reason why the token was not resolved. */
export interface Registration {
  readonly id: number
  /** The time of the sandbox's clock, in ISO 8601. */
  readonly at: string
  readonly isFreeTrial: boolean
  readonly customer?: RegisteredCustomer
  readonly error?: string
}

/** A registration with the customer's current entitlements. */
export interface ListedRegistration extends Registration {
  /** The entitlements that GetEntitlements returns now. Absent without a `Backend`. */
  readonly entitlements?: ReadonlyArray<typeof Entitlement.Encoded>
}

/** A request to the receiver of events. */
export interface ReceivedMessage {
  readonly id: number
  readonly at: string
  readonly contentType: string
  /** The header `x-amz-sns-message-type`. Absent if the sender is not SNS. */
  readonly snsType?: string
  readonly body: string
}

const landing = "/_sandbox/built-in/landing"
const registrations = "/_sandbox/built-in/registrations"
const receiver = "/_sandbox/built-in/receiver"
const messages = "/_sandbox/built-in/messages"

/** Returns true for paths that accept a POST of any content type, because AWS sends forms and plain text to them. */
export const isReceiver = (request: Request): boolean => {
  const path = pathOf(request)
  return path === landing || path === receiver
}

/** Maximum number of entries in each list. */
const maxEntries = 100

/** Maximum size of each list in characters, because pages poll the lists. The newest entry is kept even if it is longer. */
const maxCharacters = 500_000

/** Maximum size of a form or event, in bytes. An SNS message has at most 256 KiB, without its envelope. */
const maxBodySize = 300_000

const decodeConfirmation = Schema.decodeUnknownOption(
  Schema.parseJson(Schema.Struct({ TopicArn: Schema.String, Token: Schema.String }))
)

/** The targets that send every event to the built-in receiver. */
export const targets: ReadonlyArray<Target> = [
  { type: "sns", name: "built-in receiver of SNS", url: receiver },
  {
    type: "apiDestination",
    name: "built-in receiver of EventBridge",
    url: receiver,
    headerValue: Redacted.make("sandbox")
  }
]

const decoder = new TextDecoder()

/** Direct access to the sandbox, because calls of a client would be logged and would use up faults. */
export interface Backend {
  /** Confirms a subscription by its topic and token. */
  readonly confirm: (topicArn: string, token: string) => Effect.Effect<void>
  readonly entitlementsOf: (
    productCode: string,
    filter: Partial<EntitlementFilter>
  ) => Effect.Effect<ReadonlyArray<object>>
}

export const make = ({
  backend,
  client,
  now
}: {
  readonly client: MeteringClient["Type"]
  /** The time of the sandbox's clock. */
  readonly now: Service["control"]["now"]
  /** `undefined` for a `MeteringSandbox` that was not made by its `layer` or `layerFile`. */
  readonly backend: Backend | undefined
}) =>
  Effect.gen(function* () {
    const registered = yield* makeList<Registration>()
    const received = yield* makeList<ReceivedMessage>()

    const register = (body: string) =>
      Effect.gen(function* () {
        const form = new URLSearchParams(body)
        const token = form.get("x-amzn-marketplace-token") ?? ""
        const resolved = yield* Effect.either(
          token === ""
            ? Effect.fail({ message: "The form has no x-amzn-marketplace-token." })
            : client.resolveCustomer({ registrationToken: Redacted.make(token) })
        )
        yield* registered.add({
          at: DateTime.formatIso(yield* now),
          isFreeTrial: form.get("x-amzn-marketplace-offer-type") === "free-trial",
          ...Either.match(resolved, {
            onLeft: ({ message }) => ({ error: message }),
            onRight: (customer) => ({
              customer: {
                customerAWSAccountId: customer.customerAWSAccountId,
                customerIdentifier: customer.customerIdentifier,
                productCode: customer.productCode,
                licenseArn: customer.licenseArn
              }
            })
          })
        })
        // neither the redirect nor the list contains the token, because it is a secret
        return HttpServerResponse.redirect("/_sandbox/#/seller", { status: 303 })
      })

    const withEntitlements = (registration: Registration) => {
      const { customerAWSAccountId, licenseArn, productCode } = registration.customer ?? {}
      if (
        backend === undefined ||
        customerAWSAccountId === undefined ||
        productCode === undefined
      ) {
        return Effect.succeed(registration)
      }
      return Effect.map(
        backend.entitlementsOf(
          productCode,
          licenseArn === undefined
            ? { customerAWSAccountId: [customerAWSAccountId] }
            : { licenseArn: [licenseArn] }
        ),
        (entitlements) => ({ ...registration, entitlements })
      )
    }

    const receive = (body: string, { headers }: Request) =>
      Effect.gen(function* () {
        const snsType = headers["x-amz-sns-message-type"]
        yield* received.add({
          at: DateTime.formatIso(yield* now),
          contentType: headers["content-type"] ?? "",
          ...(snsType !== undefined && { snsType }),
          body
        })
        const confirmation =
          snsType === "SubscriptionConfirmation" ? decodeConfirmation(body) : Option.none()
        // confirms directly instead of opening the SubscribeURL, so that no request leaves the sandbox
        if (backend !== undefined && Option.isSome(confirmation)) {
          yield* backend.confirm(confirmation.value.TopicArn, confirmation.value.Token)
        }
        return HttpServerResponse.empty({ status: 200 })
      })

    const withBody =
      (handle: (body: string, request: Request) => Effect.Effect<Response>): Handler =>
      (request) =>
        Effect.flatMap(
          readBody(request, maxBodySize),
          Option.match({
            onNone: () => Effect.succeed(HttpServerResponse.empty({ status: 413 })),
            onSome: (body) => handle(decoder.decode(body), request)
          })
        )

    return new Map<string, Handler>([
      [`POST ${landing}`, withBody(register)],
      [
        `GET ${registrations}`,
        () =>
          Effect.map(Effect.flatMap(registered.all, Effect.forEach(withEntitlements)), jsonResponse)
      ],
      [`POST ${receiver}`, withBody(receive)],
      [`GET ${messages}`, () => Effect.map(received.all, jsonResponse)]
    ])
  })

type Handler = (request: Request) => Effect.Effect<Response, HttpServerError.RequestError>

const jsonResponse = (value: unknown) => HttpServerResponse.unsafeJson(value)

/** The length of an entry as JSON, in characters. */
const sizeOf = (entry: object): number => JSON.stringify(entry).length

/** Makes a list of the last entries, the newest first. The ids of the entries are ascending numbers. */
const makeList = <A extends { readonly id: number }>() =>
  Effect.map(Ref.make<ReadonlyArray<A>>([]), (ref) => ({
    all: Ref.get(ref),
    add: (entry: Omit<A, "id">): Effect.Effect<void> =>
      Ref.update(ref, (entries) => {
        const id = (entries[0]?.id ?? 0) + 1
        // the cast is safe: `entry` has all other fields of `A`
        const last = { ...entry, id } as A
        let size = sizeOf(last)
        const kept = entries.slice(0, maxEntries - 1)
        const end = kept.findIndex((one) => {
          size += sizeOf(one)
          return size > maxCharacters
        })
        return [last, ...(end === -1 ? kept : kept.slice(0, end))]
      })
  }))
