/** The client over every transport, and requests and responses of GetEntitlements. */
import {
  type GetEntitlementsCommandInput,
  MarketplaceEntitlementServiceClient
} from "@aws-sdk/client-marketplace-entitlement-service"
import type * as HttpClient from "@effect/platform/HttpClient"
import * as DateTime from "effect/DateTime"
import * as Duration from "effect/Duration"
import * as FastCheck from "effect/FastCheck"
import * as Layer from "effect/Layer"
import {
  EntitlementClient,
  EntitlementConfig,
  type GetEntitlements
} from "effect-marketplace-metering/entitlement"
import { credentials, credentialsLayer, secrets } from "../support/client.js"
import { licenseArn } from "../support/operations.js"

export const productCode = "4v9hm1u3i5p7l3c0"

/** A request with every field. */
export const request = {
  productCode,
  filter: { customerAWSAccountId: ["111122223333"], dimension: ["seats", "storage"] },
  nextToken: "token-of-the-page-before",
  maxResults: 25
} satisfies GetEntitlements.Input

/** An entitlement with every field, as the service sends it. */
export const wireEntitlement = {
  ProductCode: productCode,
  Dimension: "seats",
  CustomerIdentifier: "cust-1",
  CustomerAWSAccountId: "111122223333",
  Value: { IntegerValue: 25 },
  ExpirationDate: 1795515330.789,
  LicenseArn: licenseArn
}

export const endpoint = "https://entitlement.marketplace.us-east-1.amazonaws.com"

export const configLayer = (overrides: Partial<EntitlementConfig.Service> = {}) =>
  Layer.succeed(EntitlementConfig.EntitlementConfig, {
    region: "us-east-1",
    endpoint,
    requestTimeout: Duration.seconds(30),
    skipRules: [],
    ...overrides
  })

/** The client over a stub of HTTP. */
export const clientLayer = (
  http: Layer.Layer<HttpClient.HttpClient>,
  options: {
    readonly config?: Partial<EntitlementConfig.Service>
    readonly credentials?: Parameters<typeof credentialsLayer>[0]
  } = {}
): Layer.Layer<EntitlementClient.EntitlementClient> =>
  EntitlementClient.layer.pipe(
    Layer.provide([configLayer(options.config), credentialsLayer(options.credentials), http])
  )

/** A request as an SDK client passes it to its request handler. */
interface SdkRequest {
  readonly method: string
  readonly hostname: string
  readonly path: string
  readonly headers: Readonly<Record<string, string>>
  readonly body: Uint8Array | string
}

export interface CannedResponse {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
}

/** An SDK client whose network is a function, and the requests that it has sent. */
export const sdkClient = (respond: () => CannedResponse) => {
  const sent: Array<SdkRequest & { readonly body: string }> = []
  const client = new MarketplaceEntitlementServiceClient({
    region: "us-east-1",
    credentials: { accessKeyId: credentials.accessKeyId, ...secrets },
    maxAttempts: 1,
    requestHandler: {
      metadata: { handlerProtocol: "http/1.1" },
      handle: async (request: SdkRequest) => {
        const body =
          typeof request.body === "string" ? request.body : new TextDecoder().decode(request.body)
        const headers = Object.fromEntries(
          Object.entries(request.headers).map(([name, value]) => [name.toLowerCase(), value])
        )
        sent.push({ ...request, headers, body })
        const response = respond()
        return {
          response: {
            statusCode: response.status,
            headers: { ...response.headers },
            body: new TextEncoder().encode(response.body)
          }
        }
      },
      updateHttpClientConfig: () => {},
      httpHandlerConfigs: () => ({})
    }
  })
  return { client, sent }
}

/** The SDK's names of the fields of a filter. */
const filterNames = {
  customerAWSAccountId: "CUSTOMER_AWS_ACCOUNT_ID",
  customerIdentifier: "CUSTOMER_IDENTIFIER",
  dimension: "DIMENSION",
  licenseArn: "LICENSE_ARN"
} as const

/** A request in the SDK's names. Made without any of the code under test. */
export const toSdk = ({
  filter,
  maxResults,
  nextToken,
  productCode
}: GetEntitlements.Input): GetEntitlementsCommandInput => ({
  ProductCode: productCode,
  ...(filter !== undefined && {
    Filter: Object.fromEntries(
      Object.entries(filter).flatMap(([name, values]) =>
        values === undefined ? [] : [[filterNames[name as keyof typeof filterNames], [...values]]]
      )
    )
  }),
  ...(nextToken !== undefined && { NextToken: nextToken }),
  ...(maxResults !== undefined && { MaxResults: maxResults })
})

const text = FastCheck.string({ minLength: 1, maxLength: 40 })

const values = (value: FastCheck.Arbitrary<string>) =>
  FastCheck.array(value, { minLength: 1, maxLength: 4 })

const account = FastCheck.stringMatching(/^[0-9]{12}$/)

/** The fields of any valid request. */
export const validRequest: FastCheck.Arbitrary<GetEntitlements.Input> = FastCheck.record(
  {
    productCode: FastCheck.stringMatching(/^[-a-zA-Z0-9/=:_.@]{1,40}$/),
    filter: FastCheck.oneof(
      FastCheck.record(
        {
          customerAWSAccountId: values(account),
          dimension: values(text),
          licenseArn: values(FastCheck.constant(licenseArn))
        },
        { requiredKeys: [] }
      ),
      FastCheck.record(
        { customerIdentifier: values(text), dimension: values(text) },
        {
          requiredKeys: []
        }
      )
    ),
    nextToken: text.filter((token) => /\S/.test(token)),
    maxResults: FastCheck.integer({ min: 1, max: 25 })
  },
  { requiredKeys: ["productCode"] }
)

const value = FastCheck.oneof(
  FastCheck.record({ IntegerValue: FastCheck.integer() }),
  FastCheck.record({
    DoubleValue: FastCheck.double({ noNaN: true, noDefaultInfinity: true }).map((n) => n || 0)
  }),
  FastCheck.record({ BooleanValue: FastCheck.boolean() }),
  FastCheck.record({ StringValue: text })
)

/** The JSON of any valid response. */
export const validResponse = FastCheck.record(
  {
    Entitlements: FastCheck.array(
      FastCheck.record(
        {
          ProductCode: text,
          Dimension: text,
          CustomerIdentifier: text,
          CustomerAWSAccountId: account,
          Value: value,
          ExpirationDate: FastCheck.integer({ min: 0, max: 4_102_444_799_999 }).map(
            (millis) => millis / 1000
          ),
          LicenseArn: FastCheck.constant(licenseArn)
        },
        { requiredKeys: [] }
      ),
      { maxLength: 25 }
    ),
    NextToken: text.filter((token) => /\S/.test(token))
  },
  { requiredKeys: [] }
)

/** A time of the responses. */
export const expirationDate = DateTime.unsafeMake(1_795_515_330_789)
