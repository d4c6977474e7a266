/**
 * The world that a sandbox starts in: products, customers and their agreements, who may call, and what the
 * service leaves open. In code as plain data, in a file as JSON.
 *
 * @since 0.1.0
 */
import * as Duration from "effect/Duration"
import * as Either from "effect/Either"
import * as JSONSchema from "effect/JSONSchema"
import * as Schema from "effect/Schema"
import { forEachName } from "../internal/operations.js"
import { OperationName } from "../MeteringError.js"
import { Faults } from "./Fault.js"
import {
  AccessKeyId,
  CustomerAWSAccountId,
  CustomerIdentifier,
  Dimension,
  DurationInput,
  field,
  LicenseArn,
  NonEmptyText,
  optionalField,
  PositiveInt,
  ProductCode,
  Time
} from "./internal/scenario/scenarioFields.js"
import * as scenarioFile from "./internal/scenario/scenarioFile.js"
import { validateScenario } from "./internal/scenario/validateScenario.js"

/**
 * One version of a product's public key. With a `rotationTimestamp`, RegisterUsage tells that time from
 * then on, as the service does for a version that has expired.
 *
 * @see https://docs.aws.amazon.com/marketplace/latest/APIReference/API_marketplace-metering_RegisterUsage.html
 * @since 0.1.0
 * @category models
 */
export const PublicKeyVersion = Schema.Struct({
  version: field(PositiveInt, "A whole number from 1."),
  rotationTimestamp: optionalField(
    Time,
    "When this version expired: RegisterUsage tells it from then on."
  )
})

/**
 * @since 0.1.0
 * @category models
 */
export interface PublicKeyVersion extends Schema.Schema.Type<typeof PublicKeyVersion> {}

/**
 * A product that the sandbox's seller sells.
 *
 * - `dimensions`: case counts
 * - `region`: the one Region that it is metered in; the sandbox's own when left out
 * - `metering`: how MeterUsage takes it. `hourly`, once per hour, dimension and instance, when left out;
 *   `agentCore` as on Bedrock AgentCore: nothing is rounded, and the client token alone tells a retry from
 *   another charge
 * - `publicKeyVersions`: version 1, never rotated, when left out
 *
 * @see https://docs.aws.amazon.com/marketplace/latest/APIReference/API_marketplace-metering_MeterUsage.html
 * @since 0.1.0
 * @category models
 */
export const Product = Schema.Struct({
  code: field(ProductCode, "The product code that calls name it by."),
  dimensions: field(Schema.Array(Dimension), "What it is metered in; case counts."),
  region: optionalField(
    NonEmptyText,
    "The one Region that it is metered in; the sandbox's own when left out."
  ),
  metering: optionalField(
    Schema.Literal("hourly", "agentCore"),
    "How MeterUsage takes it: hourly, when left out, is once per hour, dimension and instance; agentCore is as on Bedrock AgentCore, where the client token alone tells a retry from another charge."
  ),
  publicKeyVersions: optionalField(
    Schema.Array(PublicKeyVersion),
    "Versions of the key that RegisterUsage takes; version 1, never rotated, when left out."
  )
})

/**
 * @since 0.1.0
 * @category models
 */
export interface Product extends Schema.Schema.Type<typeof Product> {}

/**
 * A customer's agreement for a product, with the licence that was issued for it: always so for a product listed
 * from June 2026 on, while one of an older product may have a licence beside the customer's legacy identity.
 *
 * Usage dated before `startsAt` or from `endsAt` on is refused. Its life follows from its times: `pending` before `startsAt`, then `active`; from `cancelledAt` on
 * `cancelled`, when for one hour last usage is taken, and then `ended`, as from `endsAt` on. Each is left out
 * where it does not apply.
 *
 * @see https://docs.aws.amazon.com/marketplace/latest/userguide/saas-notification.html
 * @since 0.1.0
 * @category models
 */
export const Agreement = Schema.Struct({
  productCode: field(ProductCode, "The product that is agreed upon: one of the scenario's."),
  licenseArn: optionalField(
    LicenseArn,
    "The licence; left out where none was issued, as for products listed before June 2026."
  ),
  startsAt: optionalField(Time, "Until then it is pending; active from the first, when left out."),
  cancelledAt: optionalField(Time, "From then on, last usage is taken for one hour."),
  endsAt: optionalField(Time, "From then on, no usage is taken.")
})

/**
 * @since 0.1.0
 * @category models
 */
export interface Agreement extends Schema.Schema.Type<typeof Agreement> {}

/**
 * A customer, and what it has subscribed to. One without agreements is known and not subscribed.
 *
 * - `customerIdentifier`: the legacy identity, for products listed before June 2026
 * - `suspended`: its AWS account is, and no usage of it is taken
 *
 * @since 0.1.0
 * @category models
 */
export const Customer = Schema.Struct({
  customerAWSAccountId: field(CustomerAWSAccountId, "The AWS account that buys."),
  customerIdentifier: optionalField(
    CustomerIdentifier,
    "The legacy identity, for products listed before June 2026."
  ),
  suspended: optionalField(
    Schema.Boolean,
    "Whether the AWS account is suspended, so that no usage of it is taken."
  ),
  agreements: field(
    Schema.Array(Agreement),
    "What it has subscribed to; with none it is known and not subscribed."
  )
})

/**
 * @since 0.1.0
 * @category models
 */
export interface Customer extends Schema.Schema.Type<typeof Customer> {}

/**
 * On whose behalf MeterUsage and RegisterUsage are called: a customer's account, and the instance, task or
 * pod in it. (The service learns both from the credentials.) Where `supportedPlatform` is false,
 * RegisterUsage answers `PlatformNotSupportedException`.
 *
 * @since 0.1.0
 * @category models
 */
export const Caller = Schema.Struct({
  customerAWSAccountId: field(
    CustomerAWSAccountId,
    "The account of one of the scenario's customers."
  ),
  instanceId: field(NonEmptyText, "The instance, task or pod in it, by any name."),
  supportedPlatform: optionalField(
    Schema.Boolean,
    "Where false, RegisterUsage answers PlatformNotSupportedException."
  )
})

/**
 * @since 0.1.0
 * @category models
 */
export interface Caller extends Schema.Schema.Type<typeof Caller> {}

/**
 * A key pair that may sign requests to the sandbox's server.
 *
 * - `sessionToken`: requests must carry it
 * - `expiration`: from then on they are told that it has expired
 * - `allow`: the only operations that it may call; all when left out
 * - `caller`: whose account it belongs to, for MeterUsage and RegisterUsage; the scenario's caller when left
 *   out
 *
 * @since 0.1.0
 * @category models
 */
export const AccessKey = Schema.Struct({
  accessKeyId: field(AccessKeyId, "The AWS access key id to sign with."),
  secretAccessKey: field(Schema.Redacted(NonEmptyText), "The AWS secret access key to sign with."),
  sessionToken: optionalField(Schema.Redacted(NonEmptyText), "Requests must carry it."),
  expiration: optionalField(Time, "From then on, requests are told that it has expired."),
  allow: optionalField(
    Schema.Array(OperationName),
    "The only operations that it may call; all when left out."
  ),
  caller: optionalField(
    Caller,
    "Whose account it belongs to, for MeterUsage and RegisterUsage; the scenario's caller when left out."
  )
})

/**
 * @since 0.1.0
 * @category models
 */
export interface AccessKey extends Schema.Schema.Type<typeof AccessKey> {}

const Rate = Schema.Positive.annotations({ identifier: "Rate", title: "Rate" })
const perSecond = "Calls per second, with as many at once; no limit when left out."

/**
 * How often each operation may be called, in calls per second, with as many at once. No limit where one is
 * left out.
 *
 * @since 0.1.0
 * @category models
 */
export const Quotas = Schema.Struct(forEachName(() => optionalField(Rate, perSecond)))

/**
 * @since 0.1.0
 * @category models
 */
export interface Quotas extends Schema.Schema.Type<typeof Quotas> {}

/**
 * The quotas that AWS documents.
 *
 * @see https://docs.aws.amazon.com/marketplace/latest/userguide/metering-service-quotas.html
 * @since 0.1.0
 * @category constants
 */
export const documentedQuotas: Quotas = {
  MeterUsage: 10,
  BatchMeterUsage: 10,
  RegisterUsage: 5,
  ResolveCustomer: 10
}

/**
 * The points in which the service is silent or its sources differ. Each has a default, and a program that
 * bills right under every choice has nothing to fear of the real one.
 *
 * - `registrationTokenLifetime`: how long a registration token can be resolved; "4 hours". Sources say one
 *   hour and four hours.
 * - `futureTolerance`: how far ahead of the service's clock usage may lie; "5 minutes". Known is only that
 *   usage of the future is refused.
 * - `windowBoundary`: how far back usage may lie: 24 hours (MeterUsage: 6) before now (`exact`), or before the
 *   start of the current hour (`hour`), which is up to an hour more lenient. With `hour`, usage also counts from
 *   the start of the hour in which its agreement began. Known is that usage of 24 hours ago or more is refused;
 *   seen was `timestamp >= startOfHour(now) - window`.
 * - `mixedProducts`: the exception for a call of BatchMeterUsage whose licenses are of two products:
 *   `InvalidLicenseException`, or `InvalidProductCodeException`. Known is that a request is for only one product.
 * - `unknownCustomer`: what an identity of nobody gets: the status `CustomerNotSubscribed`, or the whole call
 *   an `InvalidCustomerIdentifierException`. Both are documented; the exception is certain only for an
 *   identity of impossible form.
 * - `otherAllocations`: what usage gets that repeats the quantity with other allocations: it is a `duplicate`,
 *   or the `same`. Known is only what another quantity gets.
 * - `emptyTagValue`: whether the value of a tag may be empty, `accepted` or `refused` with
 *   `InvalidTagException`. AWS's prose allows it, its pattern does not.
 * - `dryRun`: whether a dry run that would have succeeded is answered by the error `DryRunOperation`, as
 *   documented (`error`), or by a 200 with that text for a record id, as has been seen (`answer`).
 * - `idempotencyConflictStatus`: HTTP status of `IdempotencyConflictException`, 400 or 409; one SDK has 409.
 * - `requestSizeLimit`: a request of so many bytes is refused; 1 000 000. Known is "1 MB".
 *
 * @since 0.1.0
 * @category models
 */
export const ServiceBehavior = Schema.Struct({
  registrationTokenLifetime: optionalField(
    DurationInput,
    'How long a registration token can be resolved; "4 hours" when left out.'
  ),
  futureTolerance: optionalField(
    DurationInput,
    'How far ahead of the clock usage may lie; "5 minutes" when left out.'
  ),
  windowBoundary: optionalField(
    Schema.Literal("exact", "hour"),
    "Whether usage may lie as far back as the window reaches from now (exact, when left out) or from the start of the hour."
  ),
  mixedProducts: optionalField(
    Schema.Literal("InvalidLicenseException", "InvalidProductCodeException"),
    "The exception for licenses of two products in one call of BatchMeterUsage; InvalidLicenseException when left out."
  ),
  unknownCustomer: optionalField(
    Schema.Literal("CustomerNotSubscribed", "InvalidCustomerIdentifierException"),
    "What an identity of nobody gets: a status, when left out, or the whole call an exception."
  ),
  otherAllocations: optionalField(
    Schema.Literal("duplicate", "same"),
    "What usage is that repeats a quantity with other allocations; duplicate when left out."
  ),
  emptyTagValue: optionalField(
    Schema.Literal("accepted", "refused"),
    "Whether the value of a tag may be empty; accepted when left out."
  ),
  dryRun: optionalField(
    Schema.Literal("error", "answer"),
    "How a dry run that would have succeeded is answered; by an error when left out."
  ),
  idempotencyConflictStatus: optionalField(
    Schema.Literal(400, 409),
    "HTTP status of IdempotencyConflictException; 400 when left out."
  ),
  requestSizeLimit: optionalField(
    PositiveInt,
    "A request of so many bytes is refused; 1000000 when left out."
  )
})

/**
 * @since 0.1.0
 * @category models
 */
export interface ServiceBehavior extends Schema.Schema.Type<typeof ServiceBehavior> {}

/**
 * What each rule is where a scenario leaves it out.
 *
 * @since 0.1.0
 * @category constants
 */
export const defaultServiceBehavior = {
  registrationTokenLifetime: Duration.hours(4),
  futureTolerance: Duration.minutes(5),
  windowBoundary: "exact",
  mixedProducts: "InvalidLicenseException",
  unknownCustomer: "CustomerNotSubscribed",
  otherAllocations: "duplicate",
  emptyTagValue: "accepted",
  dryRun: "error",
  idempotencyConflictStatus: 400,
  requestSizeLimit: 1_000_000
} as const satisfies ServiceBehavior

/**
 * Everything that a sandbox knows before the first call.
 *
 * - `region`: the Region whose endpoint the sandbox stands for
 * - `caller`: the first customer, when left out
 * - `credentials`: `sandbox` / `sandbox`, when left out
 * - `now`: the time at the start, from which it goes on; the machine's when left out. It is the calendar of
 *   usage, agreements and tokens; signatures and the `Date` of answers keep to the machine's clock, so that
 *   clients whose clock is right can sign
 *
 * @example
 * ```ts
 * import type { Scenario } from "effect-marketplace-metering/sandbox"
 *
 * const scenario: Scenario.Scenario = {
 *   region: "eu-west-1",
 *   products: [{ code: "my-product", dimensions: ["requests"] }],
 *   customers: [
 *     { customerAWSAccountId: "111122223333", agreements: [{ productCode: "my-product" }] }
 *   ],
 *   rules: { windowBoundary: "hour" }
 * }
 * ```
 *
 * @since 0.1.0
 * @category models
 */
export const Scenario = Schema.Struct({
  region: field(NonEmptyText, "The Region whose endpoint the sandbox stands for."),
  products: field(Schema.Array(Product), "What the seller sells."),
  customers: field(Schema.Array(Customer), "Who buys, and has subscribed to what."),
  caller: optionalField(
    Caller,
    "On whose behalf MeterUsage and RegisterUsage are called; the first customer when left out."
  ),
  credentials: optionalField(
    Schema.NonEmptyArray(AccessKey),
    "Who may sign requests; sandbox / sandbox when left out."
  ),
  rules: optionalField(ServiceBehavior, "What the service leaves open."),
  quotas: optionalField(
    Quotas,
    "How often each operation may be called; as often as one likes when left out."
  ),
  faults: optionalField(Faults, "What goes wrong on purpose; nothing when left out."),
  now: optionalField(
    Time,
    "The time at the start, from which it goes on; the machine's when left out."
  )
})

/**
 * @since 0.1.0
 * @category models
 */
export interface Scenario extends Schema.Schema.Type<typeof Scenario> {}

const licenseArn = (account: string, name: string) =>
  `arn:aws:license-manager::${account}:license:l-${name.padStart(32, "0")}`

/**
 * A small world in which every outcome can be had at once: a SaaS product and a container product, three
 * subscribed customers (with a legacy identity, with both identities, with an account alone) and one that has
 * never subscribed.
 *
 * @since 0.1.0
 * @category constants
 */
export const defaultScenario = {
  region: "us-east-1",
  products: [
    { code: "sandbox-analytics", dimensions: ["api-calls", "events", "seats", "storage-gb"] },
    {
      code: "sandbox-container",
      dimensions: ["nodes", "pods"],
      publicKeyVersions: [{ version: 1 }, { version: 2 }]
    }
  ],
  customers: [
    {
      customerAWSAccountId: "111122223333",
      customerIdentifier: "cust-acme",
      agreements: [
        { productCode: "sandbox-analytics", licenseArn: licenseArn("111122223333", "a1") },
        { productCode: "sandbox-container" }
      ]
    },
    {
      customerAWSAccountId: "222233334444",
      customerIdentifier: "cust-globex",
      agreements: [
        { productCode: "sandbox-analytics", licenseArn: licenseArn("222233334444", "a2") }
      ]
    },
    {
      // listed anew: there is no legacy identity
      customerAWSAccountId: "333344445555",
      agreements: [
        { productCode: "sandbox-analytics", licenseArn: licenseArn("333344445555", "a3") }
      ]
    },
    {
      customerAWSAccountId: "444455556666",
      customerIdentifier: "cust-initech",
      agreements: []
    }
  ],
  caller: { customerAWSAccountId: "111122223333", instanceId: "i-0123456789abcdef0" }
} as const satisfies Scenario

/**
 * A scenario, in whole or in part. What is left out is of `defaultScenario`; but whoever gives products and no
 * customers has none, and whoever gives customers and no caller calls as the first of them.
 *
 * @since 0.1.0
 * @category models
 */
export interface Options extends globalThis.Partial<Scenario> {}

/**
 * A scenario that cannot be had: `problems` says where and why.
 *
 * @since 0.1.0
 * @category errors
 */
export class ScenarioError extends Schema.TaggedError<ScenarioError>(
  "effect-marketplace-metering/ScenarioError"
)("ScenarioError", { problems: Schema.NonEmptyArray(Schema.String) }) {
  override get message() {
    return this.problems.length === 1
      ? this.problems[0]
      : `The scenario has ${this.problems.length} faults:\n${this.problems.map((problem) => `- ${problem}`).join("\n")}`
  }
}

/**
 * A scenario made whole, if it does not contradict itself: no two of the same name, no name that no call could
 * hold, no agreement for a product that there is not or that ends before it begins, no caller who is not a
 * customer.
 *
 * @since 0.1.0
 * @category constructors
 */
export const make = (options: Options): Either.Either<Scenario, ScenarioError> => {
  const customers =
    options.customers ?? (options.products === undefined ? defaultScenario.customers : [])
  const caller =
    options.caller ?? (customers === defaultScenario.customers ? defaultScenario.caller : undefined)
  const scenario: Scenario = {
    ...options,
    region: options.region ?? defaultScenario.region,
    products: options.products ?? defaultScenario.products,
    customers,
    caller
  }
  return failWith(validateScenario(scenario), scenario)
}

const failWith = <A>(
  [first, ...others]: ReadonlyArray<string>,
  value: A
): Either.Either<A, ScenarioError> =>
  first === undefined
    ? Either.right(value)
    : Either.left(new ScenarioError({ problems: [first, ...others] }))

/** A scenario as a file has it: in whole or in part, and it may name its schema for an editor. */
const File = Schema.partialWith(Scenario, { exact: true })
  .pipe(
    Schema.extend(
      Schema.Struct({
        $schema: optionalField(Schema.String, "Where an editor finds what a scenario may hold.")
      })
    )
  )
  .annotations({ title: "Scenario of a sandbox of AWS Marketplace Metering" })

/**
 * A scenario from the text of a file, in whole or in part. The `ScenarioError` names each fault and the place
 * of it; it holds no secret of the file.
 *
 * @example
 * ```ts
 * import { Scenario } from "effect-marketplace-metering/sandbox"
 *
 * const scenario = Scenario.fromJson(`{
 *   "products": [{ "code": "my-product", "dimensions": ["requests"] }],
 *   "customers": [
 *     { "customerAWSAccountId": "111122223333", "agreements": [{ "productCode": "my-product" }] }
 *   ]
 * }`)
 * ```
 *
 * @since 0.1.0
 * @category constructors
 */
export const fromJson = (text: string): Either.Either<Scenario, ScenarioError> =>
  Either.match(scenarioFile.read(File, text), {
    onLeft: (problems) => Either.flatMap(failWith(problems, {}), make),
    onRight: ({ $schema: _, ...partial }) => make(partial)
  })

/**
 * The text of a file that `fromJson` makes this scenario of, to begin one's own with. It holds the secrets of
 * its key pairs, or nobody could sign with them. Throws a `ScenarioError` where no file can say it, as with a
 * name that is empty.
 *
 * @example
 * ```ts
 * import { Scenario } from "effect-marketplace-metering/sandbox"
 *
 * const text = Scenario.toJson(Scenario.defaultScenario)
 * ```
 *
 * @since 0.1.0
 * @category destructors
 */
export const toJson = (scenario: Options): string =>
  Either.getOrThrowWith(
    Either.orElse(scenarioFile.write(File, scenario), (problems) => failWith(problems, "")),
    (error) => error
  )

/**
 * The JSON Schema of a scenario's file, for editors; the package has it as
 * `effect-marketplace-metering/scenario.schema.json`.
 *
 * @since 0.1.0
 * @category constructors
 */
export const jsonSchema = (): JSONSchema.JsonSchema7Root => JSONSchema.make(File)
