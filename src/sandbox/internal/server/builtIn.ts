/**
 * Stand-ins for the seller's own code: a registration page and a receiver of events. They keep the last requests in memory,
 * for the pages to show.
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
import { pathOf, readBody } from "./httpRequest.js"

type Request = HttpServerRequest.HttpServerRequest
type Response = HttpServerResponse.HttpServerResponse

/** A customer as ResolveCustomer returns it. */
export interface RegisteredCustomer {
  readonly customerAWSAccountId?: string | undefined
  readonly customerIdentifier?: string | undefined
  readonly productCode?: string | undefined
  readonly licenseArn?: string | undefined
}

/** A buyer who came to the registration page, or the reason why the token was not resolved. */
export interface Registration {
  readonly id: number
  /** The time of the sandbox's clock, in ISO 8601. */
  readonly at: string
  readonly isFreeTrial: boolean
  readonly customer?: RegisteredCustomer
  readonly error?: string
}

/** A registration, with what GetEntitlements returns for its customer now. Absent without a sandbox of its own. */
export interface ListedRegistration extends Registration {
  readonly entitlements?: ReadonlyArray<typeof Entitlement.Encoded>
}

/** A request to the receiver of events. */
export interface ReceivedMessage {
  readonly id: number
  readonly at: string
  readonly contentType: string
  /** The header of SNS. Absent for other senders. */
  readonly snsType?: string
  readonly body: string
}

const landing = "/_sandbox/built-in/landing"
const registrations = "/_sandbox/built-in/registrations"
const receiver = "/_sandbox/built-in/receiver"
const messages = "/_sandbox/built-in/messages"

/** Paths that accept a POST of any content type, since AWS sends forms and plain text to them. */
export const isReceiver = (request: Request): boolean => {
  const path = pathOf(request)
  return path === landing || path === receiver
}

/** Entries that are kept of each list. */
const maxEntries = 100

/** Characters that are kept of each list, beside its last entry: pages read a list again and again. */
const maxCharacters = 500_000

/** Bytes of a form or event. Messages of SNS have at most 256 KiB, and their envelope some more. */
const maxBodySize = 300_000

const decodeConfirmation = Schema.decodeUnknownOption(
  Schema.parseJson(Schema.Struct({ TopicArn: Schema.String, Token: Schema.String }))
)

/** The targets that send every event to the receiver. */
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

/** The sandbox itself. Calls of a client would be logged, and use up faults. */
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
  /** Absent without a sandbox of its own. */
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
        // the token is neither in the address nor in the list
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
        // in place of opening the SubscribeURL: no request leaves the sandbox
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

/** A list of the last entries, the newest first, with ids that count up. */
const makeList = <A extends { readonly id: number }>() =>
  Effect.map(Ref.make<ReadonlyArray<A>>([]), (ref) => ({
    all: Ref.get(ref),
    add: (entry: Omit<A, "id">): Effect.Effect<void> =>
      Ref.update(ref, (entries) => {
        const id = (entries[0]?.id ?? 0) + 1
        // the id completes the entry
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
