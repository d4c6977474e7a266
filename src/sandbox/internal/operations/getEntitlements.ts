/** GetEntitlements: the entitlements of active agreements, in pages. */
import * as Either from "effect/Either"
import * as Encoding from "effect/Encoding"
import * as HashMap from "effect/HashMap"
import * as Option from "effect/Option"
import { isNotUndefined } from "effect/Predicate"
import * as Record from "effect/Record"
import * as Schema from "effect/Schema"
import type {
  EntitlementFilter,
  GetEntitlementsRequest
} from "../../../entitlement/GetEntitlements.js"
import type { Agreement, Customer } from "../../Scenario.js"
import { type Catalog, findCustomer, findProduct, statusOf } from "../model/catalog.js"
import { keyOf, sha256HexSync } from "../model/hash.js"
import type { AwsError } from "../model/serviceResponse.js"
import type { State } from "../model/state.js"
import { type Handler, reject, succeed } from "./handler.js"

/** The default of `maxResults`. AWS documents only the maximum. */
const defaultPageSize = 25

export const getEntitlements: Handler<GetEntitlementsRequest> = (state, request, { now }) => {
  const { filter, maxResults = defaultPageSize, nextToken, productCode } = request
  if (findProduct(state.catalog, productCode) === undefined) {
    return [state, reject(invalidParameter(`Product code ${productCode} is not one of yours.`))]
  }
  const position = nextToken === undefined ? firstPage(state) : decodeToken(nextToken, request)
  if (position === undefined) {
    return [state, reject(invalidParameter("NextToken is not one of this request's."))]
  }
  const { after, isEmpty } = position
  const tokenTo = (next: Position) => ({ nextToken: encodeToken(next, request) })
  if (isEmpty) return [state, succeed({ entitlements: [], ...tokenTo({ after, isEmpty: false }) })]
  const remaining = entriesOf(state.catalog, productCode, filter, now).filter(
    ({ key }) => after === undefined || compareKeys(key, after) > 0
  )
  const page = remaining.slice(0, maxResults)
  const last = page.at(-1)
  return [
    state,
    succeed({
      entitlements: page.map(({ fields }) => fields),
      ...(last !== undefined &&
        remaining.length > page.length &&
        tokenTo({ after: last.key, isEmpty: state.behavior.emptyEntitlementPages }))
    })
  ]
}

const invalidParameter = (message: string): AwsError => ({
  code: "InvalidParameterException",
  message
})

/** The sort key of an entitlement: the customer's account, the index of the agreement, and the index in the agreement. */
type Key = readonly [account: string, agreement: number, entitlement: number]

const compareKeys = (left: Key, right: Key): number =>
  left[0] === right[0] ? left[1] - right[1] || left[2] - right[2] : left[0] < right[0] ? -1 : 1

interface Entry {
  readonly key: Key
  readonly fields: object
}

/** Returns the entitlements of all pages for a filter. */
export const allEntitlements = (
  { catalog }: State,
  productCode: string,
  filter: Partial<EntitlementFilter>,
  now: number
): ReadonlyArray<object> => entriesOf(catalog, productCode, filter, now).map(({ fields }) => fields)

/** Returns the entitlements that match a filter, sorted by key. */
const entriesOf = (
  catalog: Catalog,
  productCode: string,
  filter: Partial<EntitlementFilter> | undefined,
  now: number
): ReadonlyArray<Entry> =>
  customersOf(catalog, filter)
    .flatMap((customer) =>
      customer.agreements.flatMap((agreement, index) =>
        agreement.productCode === productCode && statusOf(agreement, now) === "active"
          ? entriesOfAgreement(customer, agreement, index, filter)
          : []
      )
    )
    .sort((left, right) => compareKeys(left.key, right.key))

const customersOf = (
  catalog: Catalog,
  { customerAWSAccountId, customerIdentifier }: Partial<EntitlementFilter> = {}
): ReadonlyArray<Customer> => {
  const identities =
    customerAWSAccountId?.map((id) => ({ customerAWSAccountId: id })) ??
    customerIdentifier?.map((id) => ({ customerIdentifier: id }))
  return identities === undefined
    ? [...HashMap.values(catalog.customers)]
    : [...new Set(identities.flatMap((identity) => findCustomer(catalog, identity) ?? []))]
}

const entriesOfAgreement = (
  { customerAWSAccountId, customerIdentifier }: Customer,
  { endsAt, entitlements = [], licenseArn, productCode }: Agreement,
  agreementIndex: number,
  filter: Partial<EntitlementFilter> = {}
): ReadonlyArray<Entry> => {
  if (filter.licenseArn?.some((arn) => arn === licenseArn) === false) return []
  return entitlements.flatMap(
    ({ dimension, expirationDate = endsAt, value }, index): Array<Entry> =>
      filter.dimension?.includes(dimension) === false
        ? []
        : [
            {
              key: [customerAWSAccountId, agreementIndex, index],
              fields: Record.filter<string, unknown>(
                {
                  productCode,
                  dimension,
                  customerIdentifier,
                  customerAWSAccountId,
                  value,
                  expirationDate,
                  licenseArn
                },
                isNotUndefined
              )
            }
          ]
  )
}

/** The position of a page: after the entitlement with the key `after`, or at the beginning. */
interface Position {
  readonly after: Key | undefined
  /** True for an empty page, whose `NextToken` leads to the page with entitlements at the same position. */
  readonly isEmpty: boolean
}

const firstPage = ({ behavior }: State): Position => ({
  after: undefined,
  isEmpty: behavior.emptyEntitlementPages
})

const PositionFromJson = Schema.parseJson(
  Schema.Struct({
    after: Schema.UndefinedOr(Schema.Tuple(Schema.String, Schema.Number, Schema.Number)).pipe(
      Schema.optional
    ),
    isEmpty: Schema.Boolean
  })
)

/** Returns the checksum of a token, which makes the token valid only for the same product and filter. The page size may change. */
const checksumOf = (position: string, { filter, productCode }: GetEntitlementsRequest): string =>
  sha256HexSync(keyOf(position, productCode, JSON.stringify(filter ?? {}))).slice(0, 32)

const encodeToken = ({ after, isEmpty }: Position, request: GetEntitlementsRequest): string => {
  const position = Encoding.encodeBase64Url(JSON.stringify({ after, isEmpty }))
  return `${position}.${checksumOf(position, request)}`
}

const decodeToken = (token: string, request: GetEntitlementsRequest): Position | undefined => {
  const [position = "", checksum] = token.split(".", 2)
  if (checksum !== checksumOf(position, request)) return undefined
  return Encoding.decodeBase64UrlString(position).pipe(
    Either.flatMap(Schema.decodeEither(PositionFromJson)),
    Either.map(({ after, isEmpty }) => ({ after, isEmpty })),
    Either.getRight,
    Option.getOrUndefined
  )
}
