/**
 * The initial state of a sandbox: products, customers, agreements, access keys and behavior of the service. Plain
 * data in code, or a JSON file.
 *
 * @since 0.1.0
 */
import * as Duration from "effect/Duration"
import * as Either from "effect/Either"
import * as JSONSchema from "effect/JSONSchema"
import * as Schema from "effect/Schema"
import { licenseArnOf } from "./internal/scenario/licenseArn.js"
import { type Quotas, Scenario, type ServiceBehavior } from "./internal/scenario/models.js"
import { optionalField } from "./internal/scenario/scenarioFields.js"
import * as scenarioFile from "./internal/scenario/scenarioFile.js"
import { validateScenario } from "./internal/scenario/validateScenario.js"

export { Entitlement, EntitlementValue } from "./internal/scenario/entitlements.js"
export {
  AccessKey,
  Agreement,
  Caller,
  Customer,
  Product,
  PublicKeyVersion,
  Quotas,
  Renewal,
  Scenario,
  ServiceBehavior
} from "./internal/scenario/models.js"

/**
 * The quotas that AWS documents, in calls per second.
 *
 * @see https://docs.aws.amazon.com/marketplace/latest/userguide/metering-service-quotas.html
 * @since 0.1.0
 * @category constants
 */
export const documentedQuotas: Quotas = {
  MeterUsage: 10,
  BatchMeterUsage: 10,
  RegisterUsage: 5,
  ResolveCustomer: 10,
  GetEntitlements: 20
}

/**
 * The defaults of `ServiceBehavior`.
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
  requestSizeLimit: 1_000_000,
  emptyEntitlementPages: false,
  landingFields: "documented",
  licenseEventDelay: Duration.seconds(61),
  deprovisionedEventDelay: Duration.seconds(31),
  finalHourStartsAt: "ended"
} as const satisfies ServiceBehavior

/**
 * The default scenario, in which every outcome can occur: a SaaS product and a container product, three subscribed
 * customers (two with a legacy identifier, one without) and one customer that has never subscribed. The first customer
 * is entitled to 25 seats.
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
        {
          productCode: "sandbox-analytics",
          licenseArn: licenseArnOf("a1"),
          entitlements: [{ dimension: "seats", value: { integerValue: 25 } }]
        },
        { productCode: "sandbox-container" }
      ]
    },
    {
      customerAWSAccountId: "222233334444",
      customerIdentifier: "cust-globex",
      agreements: [{ productCode: "sandbox-analytics", licenseArn: licenseArnOf("a2") }]
    },
    {
      // buyers of a product that was listed since June 2026 have no legacy identifier
      customerAWSAccountId: "333344445555",
      agreements: [{ productCode: "sandbox-analytics", licenseArn: licenseArnOf("a3") }]
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
 * A complete or partial scenario. Missing fields default to those of `defaultScenario`, with two exceptions: if `products` is
 * set, `customers` defaults to none, and if the customers are not the default ones, `caller` defaults to the first customer.
 *
 * @since 0.1.0
 * @category models
 */
export interface Options extends Partial<Scenario> {}

/**
 * An invalid scenario.
 *
 * - `problems`: the problems, each with its path, without secrets
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
      : `The scenario has ${this.problems.length} problems:\n${this.problems.map((problem) => `- ${problem}`).join("\n")}`
  }
}

/**
 * Completes a scenario and validates it. Fails for duplicate or invalid names, agreements for unknown products or
 * with an end before their start, and callers that are not customers.
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

const File = Schema.partialWith(Scenario, { exact: true })
  .pipe(
    Schema.extend(
      Schema.Struct({
        $schema: optionalField(Schema.String, "The JSON Schema of this file, for editors.")
      })
    )
  )
  .annotations({ title: "Scenario of a sandbox of AWS Marketplace Metering" })

/**
 * Reads a complete or partial scenario from the text of a JSON file. The `ScenarioError` describes each problem with its path,
 * and contains no secrets of the file.
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
    onRight: ({ $schema: _, ...options }) => make(options)
  })

/**
 * Writes a scenario as the text of a JSON file, for `fromJson`. The text contains the secrets of the access keys.
 * Throws a `ScenarioError` if a value has no JSON form, such as an empty name.
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
 * The JSON Schema of a scenario file, for editors. The package contains it as
 * `effect-marketplace-metering/scenario.schema.json`.
 *
 * @since 0.1.0
 * @category constructors
 */
export const jsonSchema = (): JSONSchema.JsonSchema7Root => JSONSchema.make(File)
