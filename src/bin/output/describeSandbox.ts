/** The text that a sandbox prints at its start. */
import * as DateTime from "effect/DateTime"
import type { Scenario } from "../../sandbox/index.js"
import { covers, isInRegion, isSubscribed } from "../../sandbox/internal/model/catalog.js"
import { formatCount } from "./format.js"
import { table } from "./table.js"

interface SandboxInfo {
  readonly url: string
  readonly now: DateTime.Utc
  readonly scenario: Scenario.Scenario
  /** The current customers. With a state file, they may differ from the customers of the scenario. */
  readonly customers: ReadonlyArray<Scenario.Customer>
  readonly anyCredentials: boolean
}

export const describeSandbox = (info: SandboxInfo): string =>
  [
    `This is a sandbox of AWS Marketplace Metering at ${info.url}. It is not the service: nothing is billed.`,
    section("Point any AWS SDK or the AWS CLI at it by its environment:", environmentOf(info)),
    section("Products:", productsOf(info.scenario)),
    section("Customers:", customersOf(info.customers)),
    ...quotasOf(info.scenario),
    ...exampleCall(info),
    section("Open in a browser:", [
      `  ${info.url}/_sandbox/      to buy and cancel, and to see usage, calls and events`,
      `  ${info.url}/_sandbox/docs  for the API that does the same for programs`
    ]),
    "Press Ctrl-C to stop it."
  ].join("\n\n")

const section = (title: string, lines: ReadonlyArray<string>) => [title, ...lines].join("\n")

const environmentOf = ({ anyCredentials, scenario, url }: SandboxInfo) => {
  const [accessKey] = scenario.credentials ?? []
  const keyId = accessKey?.accessKeyId ?? "sandbox"
  // the secret is not printed, because it may be real
  const secret = accessKey === undefined ? "sandbox" : "<as in the scenario>"
  return [
    `  export AWS_ENDPOINT_URL_MARKETPLACE_METERING=${url}`,
    `  export AWS_ENDPOINT_URL_MARKETPLACE_ENTITLEMENT_SERVICE=${url}`,
    `  export AWS_REGION=${scenario.region}`,
    // the AWS CLI and boto3 read only AWS_DEFAULT_REGION
    `  export AWS_DEFAULT_REGION=${scenario.region}`,
    `  export AWS_ACCESS_KEY_ID=${keyId}`,
    `  export AWS_SECRET_ACCESS_KEY=${secret}`,
    ...(accessKey?.sessionToken === undefined
      ? []
      : ["  export AWS_SESSION_TOKEN=<as in the scenario>"]),
    ...(anyCredentials ? ["Any other credentials work, too; no signature is checked."] : [])
  ]
}

const tableOrNone = (
  head: ReadonlyArray<string>,
  rows: ReadonlyArray<ReadonlyArray<string>>
): string => (rows.length === 0 ? "  none" : table(head, rows))

const productsOf = ({ products }: Scenario.Scenario) => [
  tableOrNone(
    ["product code", "dimensions"],
    products.map(({ code, dimensions }) => [code, dimensions.join(", ")])
  )
]

/** Maximum number of customers in the list. The control API returns all. */
const maxListedCustomers = 20

const customersOf = (customers: ReadonlyArray<Scenario.Customer>) => {
  const listed = customers.slice(0, maxListedCustomers)
  const more = customers.length - listed.length
  const head = ["AWS account", "identifier", "product code", "license"]
  return [
    tableOrNone(head, listed.flatMap(rowsOf)),
    ...(more > 0 ? [`  and ${formatCount(more)} more`] : [])
  ]
}

const rowsOf = ({
  agreements,
  customerAWSAccountId,
  customerIdentifier = "-",
  suspended
}: Scenario.Customer) => {
  const note = suspended === true ? " (suspended)" : ""
  const rows = agreements.map((agreement) => [
    `${agreement.productCode}${formatPeriod(agreement)}${note}`,
    agreement.licenseArn ?? "-"
  ])
  return (rows.length === 0 ? [[`not subscribed${note}`, "-"]] : rows).map((row) => [
    customerAWSAccountId,
    customerIdentifier,
    ...row
  ])
}

/** Formats the known dates of an agreement: its start, cancellation and end. */
const formatPeriod = ({ cancelledAt, endsAt, startsAt }: Scenario.Agreement) => {
  const dates = [
    ["from", startsAt],
    ["cancelled", cancelledAt],
    ["until", endsAt]
  ] as const
  const texts = dates.flatMap(([word, at]) =>
    at === undefined ? [] : [`${word} ${DateTime.formatIso(at).replace(/:\d\d\.\d+Z$/, "Z")}`]
  )
  return texts.length === 0 ? "" : ` (${texts.join(", ")})`
}

const quotasOf = ({ quotas = {} }: Scenario.Scenario) => {
  const texts = Object.entries(quotas).map(([operation, limit]) => `${operation} ${limit}`)
  return texts.length === 0 ? [] : [`Calls a second, at most: ${texts.join(", ")}.`]
}

/** Describes a call that the sandbox would accept now. Empty if there is none. */
const exampleCall = ({ customers, now, scenario }: SandboxInfo): ReadonlyArray<string> => {
  for (const product of scenario.products.filter((product) => isInRegion(scenario, product))) {
    const [dimension] = product.dimensions
    const customer = customers.find((one) =>
      isSubscribed(one, product.code, now.epochMillis, (agreement) =>
        covers(agreement, now.epochMillis, "exact")
      )
    )
    if (dimension === undefined || customer === undefined) continue
    const record = [
      `Timestamp=${DateTime.formatIso(now).replace(/\.\d+Z$/, "Z")}`,
      `CustomerAWSAccountId=${customer.customerAWSAccountId}`,
      `Dimension=${dimension}`,
      "Quantity=42"
    ].join(",")
    return [
      section("Try it with the AWS CLI:", [
        `  aws meteringmarketplace batch-meter-usage --product-code ${product.code} \\`,
        `    --usage-records ${record}`
      ])
    ]
  }
  return []
}
