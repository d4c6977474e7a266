/** What a scenario says that cannot all be true. */
import type { Customer, Scenario } from "../Scenario.js"

export const inconsistenciesOf = (scenario: Scenario): ReadonlyArray<string> => [
  ...repetitions(scenario),
  ...strangers(scenario)
]

const repetitions = ({ credentials, customers, products }: Scenario) => {
  const unique: ReadonlyArray<readonly [what: string, names: ReadonlyArray<string>]> = [
    ["product", products.map(({ code }) => code)],
    ["customer account", customers.map(({ customerAWSAccountId }) => customerAWSAccountId)],
    [
      "customer identifier",
      customers.flatMap(({ customerIdentifier }) => customerIdentifier ?? [])
    ],
    ["licence", customers.flatMap(licencesOf)],
    ["access key", credentials?.map(({ accessKeyId }) => accessKeyId) ?? []]
  ]
  return unique.flatMap(([what, names]) =>
    repeated(names).map((name) => `The scenario has the ${what} ${name} twice.`)
  )
}

const licencesOf = ({ agreements }: Customer): ReadonlyArray<string> =>
  agreements.flatMap(({ licenseArn }) => licenseArn ?? [])

const repeated = (names: ReadonlyArray<string>): ReadonlyArray<string> => {
  const once = new Set<string>()
  const twice = new Set<string>()
  for (const name of names) (once.has(name) ? twice : once).add(name)
  return [...twice]
}

const strangers = ({ caller, credentials, customers, products }: Scenario) => {
  const codes = new Set(products.map(({ code }) => code))
  const accounts = new Set(customers.map(({ customerAWSAccountId }) => customerAWSAccountId))
  const isStranger = (account: string | undefined): account is string =>
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
      .filter(isStranger)
      .map((account) => `The caller ${account} is not a customer of the scenario.`)
  ]
}
