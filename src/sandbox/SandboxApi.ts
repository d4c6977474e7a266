/**
 * The HTTP API of `MeteringSandbox` under `/_sandbox`, for programs in any language. A server documents it at
 * `/_sandbox/docs` and `/_sandbox/openapi.json`.
 *
 * Requests are not signed: any client that can reach the server can control the sandbox. Requests from web pages of other
 * origins are rejected.
 *
 * @since 0.1.0
 */
import * as HttpApi from "@effect/platform/HttpApi"
import * as HttpApiEndpoint from "@effect/platform/HttpApiEndpoint"
import * as HttpApiGroup from "@effect/platform/HttpApiGroup"
import * as HttpApiSchema from "@effect/platform/HttpApiSchema"
import * as OpenApi from "@effect/platform/OpenApi"
import type * as ParseResult from "effect/ParseResult"
import * as Schema from "effect/Schema"
import {
  DeliveryFaults,
  EventsPage,
  Resend,
  ScheduledPage,
  SentEvent,
  TargetSelector,
  TargetState
} from "./EventDelivery.js"
import { Faults } from "./Fault.js"
import { SandboxError } from "./internal/model/sandboxError.js"
import { emptyStateText } from "./internal/runtime/stateText.js"
import { DurationInput, Time } from "./internal/scenario/scenarioFields.js"
import { problemsOf } from "./internal/scenario/scenarioFile.js"
import {
  AgreementDetails,
  AgreementSelector,
  Amendment,
  CustomerSelector,
  Landing,
  NewCustomer,
  ProductDetails,
  Purchase,
  Subscription,
  Succession
} from "./Marketplace.js"
import {
  BilledPage,
  Call,
  CallCounts,
  defaultPageLimit,
  maxPageLimit,
  RecordsPage
} from "./Report.js"
import { Agreement, Customer } from "./Scenario.js"

/**
 * A registration token, as AWS Marketplace sends it to the seller's page.
 *
 * - `registrationToken`: the token, to be resolved by ResolveCustomer
 *
 * @since 0.1.0
 * @category models
 */
export const RegistrationToken = Schema.Struct({
  registrationToken: Schema.Redacted(Schema.String)
})

/**
 * @since 0.1.0
 * @category models
 */
export interface RegistrationToken extends Schema.Schema.Type<typeof RegistrationToken> {}

/**
 * The time of the sandbox's clock.
 *
 * - `now`: the time, in ISO 8601 with its zone
 *
 * @since 0.1.0
 * @category models
 */
export const CurrentTime = Schema.Struct({ now: Time })

/**
 * @since 0.1.0
 * @category models
 */
export interface CurrentTime extends Schema.Schema.Type<typeof CurrentTime> {}

/**
 * A step of the sandbox's clock.
 *
 * - `by`: the duration, such as `1 hour`, or milliseconds
 *
 * @since 0.1.0
 * @category models
 */
export const Advance = Schema.Struct({ by: DurationInput })

/**
 * @since 0.1.0
 * @category models
 */
export interface Advance extends Schema.Schema.Type<typeof Advance> {}

/**
 * A purchase over the control API.
 *
 * - the fields of `Marketplace.Purchase`
 * - `post`: true makes the sandbox post the form to the seller's page, as the buyer's browser does. Defaults to false.
 *
 * @since 0.1.0
 * @category models
 */
export const PurchaseRequest = Schema.Struct({
  ...Purchase.fields,
  post: Schema.optional(Schema.Boolean)
})

/**
 * @since 0.1.0
 * @category models
 */
export interface PurchaseRequest extends Schema.Schema.Type<typeof PurchaseRequest> {}

/**
 * The result of a purchase over the control API.
 *
 * - the fields of `Marketplace.Landing`
 * - `status`, `location`: the status and the `Location` header in the response of the seller's page. Only with `post`.
 * - `error`: the reason why the page did not respond. Only with `post`.
 *
 * @since 0.1.0
 * @category models
 */
export const PurchaseResponse = Schema.Struct({
  ...Landing.fields,
  status: Schema.optional(Schema.Number),
  location: Schema.optional(Schema.String),
  error: Schema.optional(Schema.String)
})

/**
 * @since 0.1.0
 * @category models
 */
export interface PurchaseResponse extends Schema.Schema.Type<typeof PurchaseResponse> {}

/** Maximum length of an error message about a body, in characters. */
const maxMessageLength = 1000

const truncateText = (text: string) =>
  text.length > maxMessageLength ? `${text.slice(0, maxMessageLength)} ...` : text

/** Makes the schema of a body. Rejects unknown fields, because a misspelled field would otherwise count as absent. */
const strictPayload = <A, I>(identifier: string, schema: Schema.Schema<A, I>) =>
  schema.annotations({
    identifier,
    parseOptions: { onExcessProperty: "error", errors: "all" },
    message: (issue) => ({
      message: truncateText(problemsOf(issue, "the body").join("\n")),
      override: true
    })
  })

type Content = Readonly<Record<string, object>>

/** Adds an example body to the OpenAPI description. The body is valid in the default scenario. */
const example = (value: unknown) =>
  OpenApi.annotations({
    transform: (operation) => {
      const { content, ...rest } = operation.requestBody as { readonly content: Content }
      const entries = Object.entries(content).map(([type, media]) => [
        type,
        { ...media, example: value }
      ])
      return { ...operation, requestBody: { ...rest, content: Object.fromEntries(entries) } }
    }
  })

const describe = (summary: string, description?: string) =>
  OpenApi.annotations({ summary, ...(description !== undefined && { description }) })

const exampleCustomer = { customerAWSAccountId: "222233334444" }

/** The text of a saved state. The error message omits the body, because it may contain tokens and a private key. */
const SavedState = HttpApiSchema.Text().annotations({
  message: () => "Expected the text of GET /_sandbox/state, as text/plain"
})

const isAt = (field: string, issue: ParseResult.ParseIssue) =>
  issue._tag === "Composite" &&
  [issue.issues]
    .flat()
    .some((child) => child._tag === "Pointer" && [child.path].flat()[0] === field)

/** Maximum number of calls in the log. */
const maxLogLimit = 1000

const PageParams = Schema.Struct({
  limit: Schema.optional(
    Schema.NumberFromString.pipe(Schema.int(), Schema.between(1, maxPageLimit)).annotations({
      description: `The number of entries, 1 to ${maxPageLimit}. Defaults to ${defaultPageLimit}.`
    })
  ),
  after: Schema.optional(Schema.String).annotations({
    description: "next of the previous page. Defaults to the beginning of the list."
  })
}).annotations({
  message: (issue) => ({
    message: isAt("after", issue)
      ? "after: expected next of the previous page"
      : `limit: expected a whole number from 1 to ${maxPageLimit}`,
    override: true
  })
})

const LogParams = Schema.Struct({
  limit: Schema.optional(
    Schema.NumberFromString.pipe(Schema.int(), Schema.between(1, maxLogLimit)).annotations({
      description: `The number of calls, 1 to ${maxLogLimit}, the last ones. Defaults to all.`
    })
  )
}).annotations({
  message: () => ({
    message: `limit: expected a whole number from 1 to ${maxLogLimit}`,
    override: true
  })
})

/** The status of a `SandboxError`: the request is valid, but the state of the sandbox does not allow it. */
const conflict = { status: 409 } as const

/** Makes the endpoint of an operation on one agreement. `exampleBody` is valid in the default scenario. */
const agreementOperation = <Name extends string, A, I>(
  name: Name,
  path: `/${string}`,
  payload: Schema.Schema<A, I>,
  exampleBody: unknown,
  summary: string,
  description?: string
) =>
  HttpApiEndpoint.post(name, path)
    .setPayload(payload)
    .addSuccess(AgreementDetails.annotations({ identifier: "AgreementDetails" }))
    .addError(SandboxError, conflict)
    .annotateContext(example(exampleBody))
    .annotateContext(describe(summary, description))

const selectorPayload = strictPayload("AgreementSelector", AgreementSelector)

const successionPayload = strictPayload("Succession", Succession)

const marketplace = HttpApiGroup.make("marketplace")
  .annotateContext(
    OpenApi.annotations({ title: "Marketplace", description: "Acts as buyers on AWS Marketplace." })
  )
  .add(
    HttpApiEndpoint.post("mintToken", "/tokens")
      .setPayload(selectorPayload)
      .addSuccess(RegistrationToken.annotations({ identifier: "RegistrationToken" }))
      .addError(SandboxError, conflict)
      .annotateContext(example(exampleCustomer))
      .annotateContext(
        describe(
          "Mint a registration token",
          "AWS Marketplace sends it to the seller's page, to be resolved by ResolveCustomer. Defaults to the first customer that has an agreement."
        )
      )
  )
  .add(
    HttpApiEndpoint.get("customers", "/customers")
      .addSuccess(Schema.Array(Customer.annotations({ identifier: "Customer" })))
      .annotateContext(describe("List the customers", "In their current state, sorted by account."))
  )
  .add(
    HttpApiEndpoint.post("addCustomer", "/customers")
      .setPayload(strictPayload("NewCustomer", NewCustomer))
      .addSuccess(Customer.annotations({ identifier: "Customer" }))
      .addError(SandboxError, conflict)
      .annotateContext(
        example({ customerAWSAccountId: "555566667777", customerIdentifier: "cust-new" })
      )
      .annotateContext(describe("Add a customer", "A known customer gets the new agreements."))
  )
  .add(
    HttpApiEndpoint.post("subscribe", "/subscribe")
      .setPayload(strictPayload("Subscription", Subscription))
      .addSuccess(Agreement.annotations({ identifier: "Agreement" }))
      .addError(SandboxError, conflict)
      .annotateContext(
        example({ customerAWSAccountId: "444455556666", productCode: "sandbox-analytics" })
      )
      .annotateContext(
        describe(
          "Subscribe a customer to a product",
          "licenseArn is null for a product without licenses. Defaults to a new license."
        )
      )
  )
  .add(
    HttpApiEndpoint.post("cancel", "/cancel")
      .setPayload(selectorPayload)
      .addSuccess(Customer.annotations({ identifier: "Customer" }))
      .addError(SandboxError, conflict)
      .annotateContext(example({ ...exampleCustomer, productCode: "sandbox-analytics" }))
      .annotateContext(describe("Cancel agreements", "Their usage is accepted for one more hour."))
  )
  .add(
    HttpApiEndpoint.post("suspend", "/suspend")
      .setPayload(strictPayload("CustomerSelector", CustomerSelector))
      .addSuccess(Customer.annotations({ identifier: "Customer" }))
      .addError(SandboxError, conflict)
      .annotateContext(example(exampleCustomer))
      .annotateContext(describe("Suspend a customer's AWS account", "Its usage is rejected."))
  )
  .add(
    HttpApiEndpoint.post("resume", "/resume")
      .setPayload(strictPayload("CustomerSelector", CustomerSelector))
      .addSuccess(Customer.annotations({ identifier: "Customer" }))
      .addError(SandboxError, conflict)
      .annotateContext(example(exampleCustomer))
      .annotateContext(describe("Resume a suspended customer"))
  )
  .add(
    HttpApiEndpoint.get("products", "/products")
      .addSuccess(Schema.Array(ProductDetails.annotations({ identifier: "ProductDetails" })))
      .annotateContext(describe("List the products", "In the order of the scenario."))
  )
  .add(
    HttpApiEndpoint.get("agreements", "/agreements")
      .addSuccess(Schema.Array(AgreementDetails.annotations({ identifier: "AgreementDetails" })))
      .annotateContext(
        describe(
          "List the agreements",
          "In their current state and with the operations that are possible now, sorted by account."
        )
      )
  )
  .add(
    HttpApiEndpoint.post("buy", "/buy")
      .setPayload(strictPayload("PurchaseRequest", PurchaseRequest))
      .addSuccess(PurchaseResponse.annotations({ identifier: "PurchaseResponse" }))
      .addError(SandboxError, conflict)
      .annotateContext(
        example({ customerAWSAccountId: "666677778888", productCode: "sandbox-analytics" })
      )
      .annotateContext(
        describe(
          "Buy a product",
          "Subscribes the customer, and returns the form that AWS Marketplace posts to the seller's page."
        )
      )
  )
  .add(
    HttpApiEndpoint.post("setUpAccount", "/set-up-account")
      .setPayload(selectorPayload)
      .addSuccess(Landing.annotations({ identifier: "Landing" }))
      .addError(SandboxError, conflict)
      .annotateContext(example(exampleCustomer))
      .annotateContext(
        describe(
          "Open the seller's page again",
          "Returns the form that AWS Marketplace posts to it, with a new token. Selects the agreement as for a token."
        )
      )
  )
  .add(
    agreementOperation(
      "amend",
      "/amend",
      strictPayload("Amendment", Amendment),
      { customerAWSAccountId: "111122223333", endsAt: "2099-01-01T00:00:00Z" },
      "Amend an agreement"
    )
  )
  .add(
    agreementOperation(
      "renew",
      "/renew",
      successionPayload,
      { customerAWSAccountId: "333344445555" },
      "Renew an agreement",
      "Ends it, and returns the agreement that renews it."
    )
  )
  .add(
    agreementOperation(
      "replace",
      "/replace",
      successionPayload,
      { customerAWSAccountId: "333344445555" },
      "Replace an agreement",
      "Ends it, and returns the agreement that replaces it."
    )
  )
  .add(
    agreementOperation(
      "expire",
      "/expire",
      selectorPayload,
      { customerAWSAccountId: "333344445555" },
      "End an agreement as expired",
      "As if its end was now. Usage before it is accepted for one more hour."
    )
  )
  .add(
    agreementOperation(
      "terminate",
      "/terminate",
      selectorPayload,
      { customerAWSAccountId: "111122223333", productCode: "sandbox-container" },
      "Terminate an agreement",
      "Its usage is accepted for one more hour."
    )
  )
  .add(
    agreementOperation(
      "issueAdvisory",
      "/issue-advisory",
      selectorPayload,
      { customerAWSAccountId: "111122223333" },
      "Issue an advisory about a license"
    )
  )
  .add(
    agreementOperation(
      "resolveAdvisory",
      "/resolve-advisory",
      selectorPayload,
      { customerAWSAccountId: "111122223333" },
      "Resolve an advisory about a license"
    )
  )
  .add(
    agreementOperation(
      "failPayment",
      "/fail-payment",
      selectorPayload,
      exampleCustomer,
      "Fail the payment for an agreement",
      "Only of an agreement that has not started."
    )
  )

const report = HttpApiGroup.make("report")
  .annotateContext(OpenApi.annotations({ title: "Report", description: "Billed usage and calls." }))
  .add(
    HttpApiEndpoint.get("billed", "/billed")
      .setUrlParams(PageParams)
      .addSuccess(BilledPage.annotations({ identifier: "BilledPage" }))
      .addError(SandboxError, conflict)
      .annotateContext(
        describe(
          "List the billed usage",
          "Sorted by product, customer, dimension and hour, in pages: send next as after."
        )
      )
  )
  .add(
    HttpApiEndpoint.get("records", "/records")
      .setUrlParams(PageParams)
      .addSuccess(RecordsPage.annotations({ identifier: "RecordsPage" }))
      .addError(SandboxError, conflict)
      .annotateContext(
        describe(
          "List the metering records",
          "Sorted by product, customer, dimension and hour, in pages: send next as after."
        )
      )
  )
  .add(
    HttpApiEndpoint.get("callCounts", "/calls")
      .addSuccess(CallCounts.annotations({ identifier: "CallCounts" }))
      .annotateContext(describe("Count the processed calls by operation"))
  )
  .add(
    HttpApiEndpoint.get("log", "/log")
      .setUrlParams(LogParams)
      .addSuccess(Schema.Array(Call.annotations({ identifier: "Call" })))
      .annotateContext(
        describe(
          "List the last calls and their responses",
          "At most 1000 calls and 16 MiB, the oldest first, including calls that failed before they were processed. Registration tokens and signatures are omitted."
        )
      )
  )
  .add(
    HttpApiEndpoint.get("publicKey", "/public-key")
      .addSuccess(HttpApiSchema.Text({ contentType: "application/x-pem-file" }))
      .annotateContext(
        describe(
          "Get the public key for signatures of RegisterUsage",
          "As SPKI in PEM. The same for all key versions."
        )
      )
  )

const events = HttpApiGroup.make("events")
  .annotateContext(
    OpenApi.annotations({
      title: "Events",
      description: "Events that AWS Marketplace would send, and their deliveries."
    })
  )
  .add(
    HttpApiEndpoint.get("list", "/events")
      .setUrlParams(PageParams)
      .addSuccess(EventsPage.annotations({ identifier: "EventsPage" }))
      .addError(SandboxError, conflict)
      .annotateContext(
        describe(
          "List the last events",
          "The last 1000, and older ones that are held back or to be delivered, the oldest first, with their deliveries, in pages: send next as after. The eventId of an event is also a value of after."
        )
      )
  )
  .add(
    HttpApiEndpoint.get("scheduled", "/events/scheduled")
      .setUrlParams(PageParams)
      .addSuccess(ScheduledPage.annotations({ identifier: "ScheduledPage" }))
      .addError(SandboxError, conflict)
      .annotateContext(
        describe(
          "List the events to come",
          "In the order in which they fall due, in pages: send next as after."
        )
      )
  )
  .add(
    HttpApiEndpoint.post("resend", "/events/resend")
      .setPayload(strictPayload("Resend", Resend))
      .addSuccess(SentEvent.annotations({ identifier: "SentEvent" }))
      .addError(SandboxError, conflict)
      .annotateContext(example({ eventId: "the eventId of an event" }))
      .annotateContext(describe("Send an event again", "To one target, or to all of its kind."))
  )
  .add(
    HttpApiEndpoint.get("targets", "/targets")
      .addSuccess(Schema.Array(TargetState.annotations({ identifier: "TargetState" })))
      .annotateContext(describe("List the targets"))
  )
  .add(
    HttpApiEndpoint.post("subscribe", "/targets/subscribe")
      .setPayload(strictPayload("TargetSelector", TargetSelector))
      .addSuccess(TargetState.annotations({ identifier: "TargetState" }))
      .addError(SandboxError, conflict)
      .annotateContext(example({ target: "the name of a target" }))
      .annotateContext(
        describe("Send the SubscriptionConfirmation again", "To a target of the type sns.")
      )
  )
  .add(
    HttpApiEndpoint.get("deliveryFaults", "/delivery-faults")
      .addSuccess(DeliveryFaults.annotations({ identifier: "DeliveryFaults" }))
      .annotateContext(describe("Get the faults of delivery"))
  )
  .add(
    HttpApiEndpoint.put("setDeliveryFaults", "/delivery-faults")
      .setPayload(strictPayload("DeliveryFaults", DeliveryFaults))
      .annotateContext(example({ duplicate: 0.5, seed: 7 }))
      .annotateContext(describe("Replace the faults of delivery", "{} for none."))
  )

const control = HttpApiGroup.make("control")
  .annotateContext(
    OpenApi.annotations({ title: "Control", description: "Clock, faults and state." })
  )
  .add(
    HttpApiEndpoint.get("now", "/clock")
      .addSuccess(CurrentTime.annotations({ identifier: "CurrentTime" }))
      .annotateContext(
        describe("Get the time of the sandbox's clock", "Signatures use the machine's clock.")
      )
  )
  .add(
    HttpApiEndpoint.put("setTime", "/clock")
      .setPayload(strictPayload("CurrentTime", CurrentTime))
      .addError(SandboxError, conflict)
      .annotateContext(example({ now: "2026-11-30T23:30:00Z" }))
      .annotateContext(describe("Set the clock", "It runs on from there."))
  )
  .add(
    HttpApiEndpoint.post("advance", "/clock/advance")
      .setPayload(strictPayload("Advance", Advance))
      .addSuccess(CurrentTime.annotations({ identifier: "CurrentTime" }))
      .addError(SandboxError, conflict)
      .annotateContext(example({ by: "1 hour" }))
      .annotateContext(describe("Move the clock forward", "Years 0 to 9999."))
  )
  .add(
    HttpApiEndpoint.get("faults", "/faults")
      .addSuccess(Faults.annotations({ identifier: "Faults" }))
      .annotateContext(describe("Get the faults", "The rest of the script, and the random faults."))
  )
  .add(
    HttpApiEndpoint.put("setFaults", "/faults")
      .setPayload(strictPayload("Faults", Faults))
      .annotateContext(example({ script: [{ fault: "cutAfter" }, { fault: "throttling" }] }))
      .annotateContext(describe("Replace the faults", "{} for none."))
  )
  .add(
    HttpApiEndpoint.post("reset", "/reset").annotateContext(
      describe("Return to the scenario", "Clears calls, tokens and usage, keeps the signing key.")
    )
  )
  .add(
    HttpApiEndpoint.get("save", "/state")
      .addSuccess(HttpApiSchema.Text())
      .addError(SandboxError, conflict)
      .annotateContext(
        describe(
          "Save the state without the log",
          "Includes registration tokens and the signing key."
        )
      )
  )
  .add(
    HttpApiEndpoint.put("load", "/state")
      .setPayload(SavedState)
      .addError(SandboxError, conflict)
      .annotateContext(example(emptyStateText))
      .annotateContext(
        describe(
          "Load a saved state",
          "Of a sandbox with the same scenario. Replaces the current state."
        )
      )
  )

/**
 * The API, for typed clients and servers. Its groups and endpoints have the same names as the fields of `MeteringSandbox`;
 * `billed` and `records` return pages.
 *
 * A `SandboxError` has the status 409. An invalid body fails with an `HttpApiDecodeError` and the status 400. A body of more
 * than 1 MiB fails with the `_tag` `Rejected`, a `reason` and the status 413; only a saved state may have up to 256 MiB.
 *
 * @example
 * ```ts
 * import { FetchHttpClient, HttpApiClient } from "@effect/platform"
 * import { Effect } from "effect"
 * import { SandboxApi } from "effect-marketplace-metering/sandbox"
 *
 * const signUp = Effect.gen(function* () {
 *   const sandbox = yield* HttpApiClient.make(SandboxApi.Api, { baseUrl: "http://127.0.0.1:4598" })
 *   yield* sandbox.control.setFaults({ payload: { script: [{ fault: "throttling", times: 2 }] } })
 *   return yield* sandbox.marketplace.mintToken({ payload: { customerIdentifier: "cust-acme" } })
 * }).pipe(Effect.provide(FetchHttpClient.layer))
 * ```
 *
 * @example
 * ```sh
 * curl --json '{"customerIdentifier":"cust-acme"}' http://127.0.0.1:4598/_sandbox/tokens
 * curl http://127.0.0.1:4598/_sandbox/billed
 * ```
 *
 * @since 0.1.0
 * @category api
 */
export class Api extends HttpApi.make("effect-marketplace-metering/SandboxApi")
  .add(marketplace)
  .add(report)
  .add(events)
  .add(control)
  .prefix("/_sandbox")
  .annotateContext(
    OpenApi.annotations({
      title: "Sandbox of AWS Marketplace Metering",
      version: "1",
      description:
        "Controls the customers, faults and clock of a sandbox, and reports what is billed. Not a service of AWS.",
      // omits the security schemes, because requests are not signed
      transform: ({ security, components: { securitySchemes, ...components }, ...spec }) => ({
        ...spec,
        components
      })
    })
  ) {}
