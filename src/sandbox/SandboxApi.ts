/**
 * The control of a sandbox over HTTP: everything of `MeteringSandbox` under `/_sandbox`, for programs in any
 * language. A server describes it at `/_sandbox/docs`, for machines at `/_sandbox/openapi.json`.
 *
 * Nothing of it is signed: whoever reaches the server controls the sandbox. Pages of other sites do not, even
 * in the browser of somebody who does.
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
import { Faults } from "./Fault.js"
import { SandboxError } from "./internal/model/sandboxError.js"
import { emptyStateText } from "./internal/runtime/eventLog.js"
import { DurationInput, Time } from "./internal/scenario/scenarioFields.js"
import { problemsOf } from "./internal/scenario/scenarioFile.js"
import { AgreementSelector, CustomerSelector, NewCustomer, Subscription } from "./Marketplace.js"
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
 * A registration token, as a buyer's browser would bring it to the seller's page.
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
 * The time by the sandbox's calendar.
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
 * How far the calendar is set ahead.
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

/** The longest text that says what is wrong with a body. */
const messageLimit = 1000

const truncate = (text: string) =>
  text.length > messageLimit ? `${text.slice(0, messageLimit)} ...` : text

/**
 * A body that is read exactly: a member of another name is a slip of the pen, which must not be taken for one that
 * was left out. What is wrong is said in JSON's words, by field.
 */
const strictPayload = <A, I>(identifier: string, schema: Schema.Schema<A, I>) =>
  schema.annotations({
    identifier,
    parseOptions: { onExcessProperty: "error", errors: "all" },
    message: (issue) => ({
      message: truncate(problemsOf(issue, "the body").join("\n")),
      override: true
    })
  })

type Content = Readonly<Record<string, object>>

/** Shows a body that can be sent to the sandbox as it begins. */
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

/** What does not fit is not told: it may be a state, which holds tokens and a key. */
const SavedState = HttpApiSchema.Text().annotations({
  message: () => "Expected what GET /_sandbox/state has sent, as text/plain"
})

const isAt = (field: string, issue: ParseResult.ParseIssue) =>
  issue._tag === "Composite" &&
  [issue.issues]
    .flat()
    .some((child) => child._tag === "Pointer" && [child.path].flat()[0] === field)

const PageParams = Schema.Struct({
  limit: Schema.optional(
    Schema.NumberFromString.pipe(Schema.int(), Schema.between(1, maxPageLimit)).annotations({
      description: `The number of entries, 1 to ${maxPageLimit}. Defaults to ${defaultPageLimit}.`
    })
  ),
  after: Schema.optional(Schema.String).annotations({
    description: "The next of the page before. Defaults to the beginning of the list."
  })
}).annotations({
  message: (issue) => ({
    message: isAt("after", issue)
      ? "after: expected the next of the page before"
      : `limit: expected a whole number from 1 to ${maxPageLimit}`,
    override: true
  })
})

/** The world does not have what was asked for. */
const conflict = { status: 409 } as const

const marketplace = HttpApiGroup.make("marketplace")
  .annotateContext(
    OpenApi.annotations({ title: "Marketplace", description: "What buyers do on AWS Marketplace." })
  )
  .add(
    HttpApiEndpoint.post("mintToken", "/tokens")
      .setPayload(strictPayload("AgreementSelector", AgreementSelector))
      .addSuccess(RegistrationToken.annotations({ identifier: "RegistrationToken" }))
      .addError(SandboxError, conflict)
      .annotateContext(example(exampleCustomer))
      .annotateContext(
        describe(
          "Mint a registration token",
          "As a buyer's browser would bring it to the seller's page, to be resolved by ResolveCustomer. For the first customer that has an agreement, unless one is named."
        )
      )
  )
  .add(
    HttpApiEndpoint.get("customers", "/customers")
      .addSuccess(Schema.Array(Customer.annotations({ identifier: "Customer" })))
      .annotateContext(describe("Every customer as it is now", "By account."))
  )
  .add(
    HttpApiEndpoint.post("addCustomer", "/customers")
      .setPayload(strictPayload("NewCustomer", NewCustomer))
      .addSuccess(Customer.annotations({ identifier: "Customer" }))
      .addError(SandboxError, conflict)
      .annotateContext(
        example({ customerAWSAccountId: "555566667777", customerIdentifier: "cust-new" })
      )
      .annotateContext(
        describe("Add a customer", "One that is known gets what is new of its agreements.")
      )
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
          "A licence is issued unless one is given, or null for a product that has none."
        )
      )
  )
  .add(
    HttpApiEndpoint.post("cancel", "/cancel")
      .setPayload(strictPayload("AgreementSelector", AgreementSelector))
      .addSuccess(Customer.annotations({ identifier: "Customer" }))
      .addError(SandboxError, conflict)
      .annotateContext(example({ ...exampleCustomer, productCode: "sandbox-analytics" }))
      .annotateContext(
        describe("End agreements", "For an hour, the last usage is taken, and then no more.")
      )
  )
  .add(
    HttpApiEndpoint.post("suspend", "/suspend")
      .setPayload(strictPayload("CustomerSelector", CustomerSelector))
      .addSuccess(Customer.annotations({ identifier: "Customer" }))
      .addError(SandboxError, conflict)
      .annotateContext(example(exampleCustomer))
      .annotateContext(describe("Suspend a customer's AWS account", "No usage of it is taken."))
  )
  .add(
    HttpApiEndpoint.post("resume", "/resume")
      .setPayload(strictPayload("CustomerSelector", CustomerSelector))
      .addSuccess(Customer.annotations({ identifier: "Customer" }))
      .addError(SandboxError, conflict)
      .annotateContext(example(exampleCustomer))
      .annotateContext(describe("Take a customer's usage again"))
  )

const report = HttpApiGroup.make("report")
  .annotateContext(
    OpenApi.annotations({ title: "Report", description: "What there is to see behind the scenes." })
  )
  .add(
    HttpApiEndpoint.get("billed", "/billed")
      .setUrlParams(PageParams)
      .addSuccess(BilledPage.annotations({ identifier: "BilledPage" }))
      .addError(SandboxError, conflict)
      .annotateContext(
        describe(
          "All that is billed",
          "By product, customer, dimension and hour, in that order, page by page: where there is a next, give it as after."
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
          "Every metering record",
          "In the order of what is billed, page by page: where there is a next, give it as after."
        )
      )
  )
  .add(
    HttpApiEndpoint.get("callCounts", "/calls")
      .addSuccess(CallCounts.annotations({ identifier: "CallCounts" }))
      .annotateContext(describe("How many calls have come through to the service"))
  )
  .add(
    HttpApiEndpoint.get("log", "/log")
      .addSuccess(Schema.Array(Call.annotations({ identifier: "Call" })))
      .annotateContext(
        describe(
          "The last calls and their answers",
          "Up to 1000 (of 16 MiB at most), also those that did not come through, the oldest first. Registration tokens and signatures are not shown."
        )
      )
  )
  .add(
    HttpApiEndpoint.get("publicKey", "/public-key")
      .addSuccess(HttpApiSchema.Text({ contentType: "application/x-pem-file" }))
      .annotateContext(
        describe(
          "The public key of RegisterUsage's signatures",
          "SPKI in PEM, for all versions of the public key."
        )
      )
  )

const control = HttpApiGroup.make("control")
  .annotateContext(
    OpenApi.annotations({ title: "Control", description: "Time, misfortune and memory." })
  )
  .add(
    HttpApiEndpoint.get("now", "/clock")
      .addSuccess(CurrentTime.annotations({ identifier: "CurrentTime" }))
      .annotateContext(
        describe("The time by the sandbox's calendar", "Signatures keep to the machine's clock.")
      )
  )
  .add(
    HttpApiEndpoint.put("setTime", "/clock")
      .setPayload(strictPayload("CurrentTime", CurrentTime))
      .addError(SandboxError, conflict)
      .annotateContext(example({ now: "2026-11-30T23:30:00Z" }))
      .annotateContext(describe("Set the calendar", "It goes on from there."))
  )
  .add(
    HttpApiEndpoint.post("advance", "/clock/advance")
      .setPayload(strictPayload("Advance", Advance))
      .addSuccess(CurrentTime.annotations({ identifier: "CurrentTime" }))
      .addError(SandboxError, conflict)
      .annotateContext(example({ by: "1 hour" }))
      .annotateContext(describe("Set the calendar ahead", "It has the years from 0 to 9999."))
  )
  .add(
    HttpApiEndpoint.put("setFaults", "/faults")
      .setPayload(strictPayload("Faults", Faults))
      .annotateContext(example({ script: [{ fault: "cutAfter" }, { fault: "throttling" }] }))
      .annotateContext(
        describe("What goes wrong from now on", "In place of what was to go wrong: {} for nothing.")
      )
  )
  .add(
    HttpApiEndpoint.post("reset", "/reset").annotateContext(
      describe("Back to the scenario", "Forgets calls, tokens and usage, keeps the key.")
    )
  )
  .add(
    HttpApiEndpoint.get("save", "/state")
      .addSuccess(HttpApiSchema.Text())
      .addError(SandboxError, conflict)
      .annotateContext(
        describe(
          "All that the sandbox remembers but the log",
          "To be loaded again. It holds registration tokens and the key that signs."
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
          "Take up what a sandbox of the same scenario has saved",
          "In place of what it remembers."
        )
      )
  )

/**
 * The control of a sandbox, for a typed client and for a server. Every member of `MeteringSandbox` is an
 * endpoint of the same name; `billed` and `records` are had page by page. A `SandboxError` is a 409, a body that does not fit an `HttpApiDecodeError`, 400.
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
  .add(control)
  .prefix("/_sandbox")
  .annotateContext(
    OpenApi.annotations({
      title: "Sandbox of AWS Marketplace Metering",
      version: "1",
      description:
        "What buyers do, what is billed, what goes wrong and what time it is, in a sandbox. It is not a service of AWS.",
      // nothing is signed, so there is nothing to authorize by
      transform: ({ security, components: { securitySchemes, ...components }, ...spec }) => ({
        ...spec,
        components
      })
    })
  ) {}
