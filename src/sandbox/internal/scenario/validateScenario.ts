/** Validates a scenario: names, targets, Regions, duplicates, and references between its parts. */
import * as Either from "effect/Either"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import * as AST from "effect/SchemaAST"
import { Target } from "../../EventDelivery.js"
import { isInverted } from "../model/catalog.js"
import type { Agreement, Customer, Product, Scenario } from "./models.js"
import {
  AccessKeyId,
  CustomerAWSAccountId,
  CustomerIdentifier,
  Dimension,
  HttpUrl,
  LicenseArn,
  ProductCode
} from "./scenarioFields.js"
import { problemsOf } from "./scenarioFile.js"

export const validateScenario = (scenario: Scenario): ReadonlyArray<string> => [
  ...invalidNames(scenario),
  ...invalidTargets(scenario),
  ...unknownRegions(scenario),
  ...duplicates(scenario),
  ...invertedPeriods(scenario),
  ...unknownEntitlements(scenario),
  ...unknownReferences(scenario)
]

/** Names that no call can contain. The schema has checked them only for a scenario from a file. */
const invalidNames = ({ credentials, customers, products }: Scenario) => {
  const forms: ReadonlyArray<
    readonly [what: string, form: Schema.Schema<string>, names: ReadonlyArray<string>]
  > = [
    ["product code", ProductCode, products.map(({ code }) => code)],
    ["dimension", Dimension, products.flatMap(dimensionsOf)],
    ["customer account", CustomerAWSAccountId, customers.map(accountOf)],
    ["customer identifier", CustomerIdentifier, customers.flatMap(identifierOf)],
    ["license", LicenseArn, customers.flatMap(licenseArnsOf)],
    ["access key", AccessKeyId, credentials?.map(({ accessKeyId }) => accessKeyId) ?? []]
  ]
  return forms.flatMap(([what, form, names]) => {
    const isValid = Schema.is(form)
    return names
      .filter((name) => !isValid(name))
      .map((name) => `The ${what} ${JSON.stringify(name)}: Expected ${expectedOf(form)}.`)
  })
}

/** Invalid targets and landing URLs. The problems contain no values, because a URL may contain a password. */
const invalidTargets = ({ products, targets = [] }: Scenario) => [
  ...targets.flatMap((target) =>
    Either.match(Schema.validateEither(Target)(target), {
      onLeft: ({ issue }) =>
        problemsOf(issue, "its type").map((problem) => `The target ${target.name}: ${problem}.`),
      onRight: () => []
    })
  ),
  ...products
    .filter(({ landingUrl }) => landingUrl !== undefined && !Schema.is(HttpUrl)(landingUrl))
    .map(({ code }) => `The landingUrl of product ${code}: Expected ${expectedOf(HttpUrl)}.`)
]

/** Regions whose name does not have the form of an AWS Region. */
const unknownRegions = ({ products, region }: Scenario) =>
  [region, ...products.flatMap(({ region }) => region ?? [])]
    .filter((name) => !/^[a-z]{2,4}(-[a-z]+){1,3}-\d{1,2}$/.test(name))
    .map(
      (name) =>
        `The Region ${JSON.stringify(name)}: Expected the name of a Region, such as us-east-1.`
    )

const expectedOf = ({ ast }: Schema.Schema<string>): string =>
  Option.getOrElse(AST.getDescriptionAnnotation(ast), () => "the form that calls have")

const duplicates = ({ credentials, customers, products, targets = [] }: Scenario) => {
  const unique: ReadonlyArray<readonly [what: string, names: ReadonlyArray<string>]> = [
    ["product", products.map(({ code }) => code)],
    ["customer account", customers.map(accountOf)],
    ["customer identifier", customers.flatMap(identifierOf)],
    ["license", customers.flatMap(licenseArnsOf)],
    ["access key", credentials?.map(({ accessKeyId }) => accessKeyId) ?? []],
    ["agreement", customers.flatMap(agreementIdsOf)],
    ["target", targets.map(({ name }) => name)]
  ]
  return [
    ...unique.flatMap(([what, names]) =>
      duplicatesIn(names).map((name) => `The scenario has the ${what} ${name} twice.`)
    ),
    ...products.flatMap((product) =>
      duplicatesIn(dimensionsOf(product)).map(
        (dimension) => `Product ${product.code} has the dimension ${dimension} twice.`
      )
    ),
    ...products.flatMap(({ code, publicKeyVersions = [] }) =>
      duplicatesIn(publicKeyVersions.map(({ version }) => version)).map(
        (version) => `Product ${code} has the public key version ${version} twice.`
      )
    )
  ]
}

const invertedPeriods = ({ customers }: Scenario) =>
  customers.flatMap(({ agreements, customerAWSAccountId }) =>
    agreements
      .filter(isInverted)
      .map(
        ({ productCode }) =>
          `Customer ${customerAWSAccountId} has an agreement for ${productCode} that ends before it begins.`
      )
  )

/** Entitlements to dimensions that the product does not have. */
const unknownEntitlements = ({ customers, products }: Scenario) =>
  customers.flatMap(({ agreements, customerAWSAccountId }) =>
    agreements.flatMap((agreement) =>
      unknownDimensionsOf(agreement, products).map(
        (dimension) =>
          `Customer ${customerAWSAccountId} has an entitlement to ${dimension}, which is not a dimension of ${agreement.productCode}.`
      )
    )
  )

/** Returns the dimensions of an agreement's entitlements that its product does not have. Returns none for an unknown product. */
export const unknownDimensionsOf = (
  { entitlements = [], productCode }: Pick<Agreement, "entitlements" | "productCode">,
  products: ReadonlyArray<Product>
): ReadonlyArray<string> => {
  const product = products.find(({ code }) => code === productCode)
  if (product === undefined) return []
  const known = dimensionsOf(product)
  return entitlements
    .map(({ dimension }) => dimension)
    .filter((dimension) => !known.includes(dimension))
}

const dimensionsOf = ({ contractDimensions = [], dimensions }: Product) => [
  ...dimensions,
  ...contractDimensions
]

const accountOf = ({ customerAWSAccountId }: Customer) => customerAWSAccountId

const identifierOf = ({ customerIdentifier }: Customer): string | ReadonlyArray<string> =>
  customerIdentifier ?? []

const licenseArnsOf = ({ agreements }: Customer): ReadonlyArray<string> =>
  agreements.flatMap(({ licenseArn }) => licenseArn ?? [])

const agreementIdsOf = ({ agreements }: Customer): ReadonlyArray<string> =>
  agreements.flatMap(({ agreementId }) => agreementId ?? [])

const duplicatesIn = <Name>(names: ReadonlyArray<Name>): ReadonlyArray<Name> => {
  const seen = new Set<Name>()
  const duplicated = new Set<Name>()
  for (const name of names) (seen.has(name) ? duplicated : seen).add(name)
  return [...duplicated]
}

const unknownReferences = ({ caller, credentials, customers, products }: Scenario) => {
  const codes = new Set(products.map(({ code }) => code))
  const accounts = new Set(customers.map(accountOf))
  const isUnknown = (account: string | undefined): account is string =>
    account !== undefined && !accounts.has(account)
  return [
    ...customers.flatMap(({ agreements, customerAWSAccountId }) =>
      agreements
        .filter(({ productCode }) => !codes.has(productCode))
        .map(
          ({ productCode }) =>
            `Customer ${customerAWSAccountId} has an agreement for ${productCode}, which is not a product of the scenario.`
        )
    ),
    ...[caller, ...(credentials ?? []).map(({ caller }) => caller)]
      .map((one) => one?.customerAWSAccountId)
      .filter(isUnknown)
      .map((account) => `The caller ${account} is not a customer of the scenario.`)
  ]
}
