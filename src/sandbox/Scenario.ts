/**
 * The world that a sandbox starts in: products, customers and their agreements, as plain data.
 *
 * @since 0.1.0
 */
import type * as DateTime from "effect/DateTime"

/**
 * One version of a product's public key. With a `rotationTimestamp`, RegisterUsage tells that time from
 * then on, as the service does for a version that has expired.
 *
 * @see https://docs.aws.amazon.com/marketplace/latest/APIReference/API_marketplace-metering_RegisterUsage.html
 * @since 0.1.0
 * @category models
 */
export interface PublicKeyVersion {
  /** A whole number from 1. */
  readonly version: number
  readonly rotationTimestamp?: DateTime.Utc | undefined
}

/**
 * A product that the sandbox's seller sells.
 *
 * @since 0.1.0
 * @category models
 */
export interface Product {
  readonly code: string
  /** Case counts. */
  readonly dimensions: ReadonlyArray<string>
  /** The one Region that it is metered in; the sandbox's own when left out. */
  readonly region?: string | undefined
  /** Version 1, never rotated, when left out. */
  readonly publicKeyVersions?: ReadonlyArray<PublicKeyVersion> | undefined
}

/**
 * A customer's agreement for a product, with a licence if the product was listed from June 2026 on.
 *
 * @since 0.1.0
 * @category models
 */
export interface Agreement {
  readonly productCode: string
  readonly licenseArn?: string | undefined
}

/**
 * A customer, and what it has subscribed to. One without agreements is known and not subscribed.
 *
 * @since 0.1.0
 * @category models
 */
export interface Customer {
  readonly customerAWSAccountId: string
  /** The legacy identity, for products listed before June 2026. */
  readonly customerIdentifier?: string | undefined
  readonly agreements: ReadonlyArray<Agreement>
}

/**
 * On whose behalf MeterUsage and RegisterUsage are called: a customer's account, and the instance, task or
 * pod in it. (The service learns both from the credentials.)
 *
 * @since 0.1.0
 * @category models
 */
export interface Caller {
  readonly customerAWSAccountId: string
  readonly instanceId: string
}

/**
 * Everything that a sandbox knows before the first call.
 *
 * @example
 * ```ts
 * import { Scenario } from "effect-marketplace-metering/sandbox"
 *
 * const scenario: Scenario.Scenario = {
 *   region: "eu-west-1",
 *   products: [{ code: "my-product", dimensions: ["requests"] }],
 *   customers: [
 *     { customerAWSAccountId: "111122223333", agreements: [{ productCode: "my-product" }] }
 *   ]
 * }
 * ```
 *
 * @since 0.1.0
 * @category models
 */
export interface Scenario {
  /** The Region whose endpoint the sandbox stands for. */
  readonly region: string
  readonly products: ReadonlyArray<Product>
  readonly customers: ReadonlyArray<Customer>
  /** The first customer, when left out. */
  readonly caller?: Caller | undefined
}

const licence = (account: string, name: string) =>
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
        { productCode: "sandbox-analytics", licenseArn: licence("111122223333", "a1") },
        { productCode: "sandbox-container" }
      ]
    },
    {
      customerAWSAccountId: "222233334444",
      customerIdentifier: "cust-globex",
      agreements: [{ productCode: "sandbox-analytics", licenseArn: licence("222233334444", "a2") }]
    },
    {
      // listed anew: there is no legacy identity
      customerAWSAccountId: "333344445555",
      agreements: [{ productCode: "sandbox-analytics", licenseArn: licence("333344445555", "a3") }]
    },
    {
      customerAWSAccountId: "444455556666",
      customerIdentifier: "cust-initech",
      agreements: []
    }
  ],
  caller: { customerAWSAccountId: "111122223333", instanceId: "i-0123456789abcdef0" }
} as const satisfies Scenario
