/** Scenarios in code and in files. */
import { assert, describe, it } from "@effect/vitest"
import {
  DateTime,
  Duration,
  Effect,
  Either,
  Equal,
  FastCheck,
  Inspectable,
  Option,
  Redacted
} from "effect"
import { MeteringSandbox, Scenario } from "../../src/sandbox/index.js"
import { isValid } from "../support/jsonSchema.js"
import { acme, analytics, record, statusesOf } from "./support.js"

const schema = Scenario.jsonSchema() as unknown as Record<string, unknown>

const problemsOf = (text: string) =>
  Either.match(Scenario.fromJson(text), {
    onLeft: ({ problems }) => problems,
    onRight: () => []
  })

describe("a valid file", () => {
  const files: ReadonlyArray<readonly [what: string, text: string]> = [
    ["nothing", "{}"],
    ["a byte order mark, as Windows writes it", '\ufeff{"region":"eu-west-1"}\r\n'],
    ["a schema for the editor", '{"$schema":"./scenario.schema.json"}'],
    ["a time with an offset", '{"now":"2026-11-25T10:00:00.5+02:00"}'],
    ["a time without seconds", '{"now":"2028-02-29T10:00Z"}'],
    ["durations as text", '{"rules":{"futureTolerance":"1.5 hours"}}'],
    ["durations in milliseconds", '{"rules":{"registrationTokenLifetime":0.5}}'],
    ["no customers", '{"customers":[]}'],
    [
      "faults of every kind",
      JSON.stringify({
        faults: {
          seed: -1,
          chances: [{ fault: "unprocessed", share: 0.5, probability: 1 }],
          script: [
            { fault: "none", times: 2 },
            { fault: "throttling", retryAfter: "2 seconds", operation: "MeterUsage" },
            { fault: "internalError" },
            { fault: "unavailable" },
            { fault: "rejection", code: "DisabledApiException", message: "no" },
            { fault: "expiredCredentials" },
            { fault: "latency", duration: 5 },
            { fault: "slowBody", duration: "1 second" },
            { fault: "cutBefore" },
            { fault: "cutAfter" },
            { fault: "unprocessed", share: 0 },
            { fault: "clockSkew", ahead: "10 minutes" }
          ]
        }
      })
    ]
  ]
  for (const [what, text] of files) {
    it(`may contain ${what}`, () => {
      assert.deepStrictEqual(problemsOf(text), [])
      assert.isTrue(isValid(JSON.parse(text.replace("\ufeff", "")), schema))
    })
  }

  it("contains times and durations", () => {
    const scenario = Either.getOrThrow(
      Scenario.fromJson('{"now":"2026-11-25T10:00:00+02:00","rules":{"futureTolerance":"2 hours"}}')
    )
    assert.strictEqual(
      Option.getOrThrow(Option.map(Option.fromNullable(scenario.now), DateTime.formatIso)),
      "2026-11-25T08:00:00.000Z"
    )
    assert.strictEqual(Duration.toHours(scenario.rules?.futureTolerance ?? 0), 2)
  })

  it.effect("defaults to the default scenario, and to no customers beside other products", () =>
    Effect.gen(function* () {
      const customersOf = (text: string) =>
        Either.getOrThrow(Scenario.fromJson(text)).customers.length
      assert.strictEqual(customersOf("{}"), Scenario.defaultScenario.customers.length)
      assert.strictEqual(customersOf('{"products":[]}'), 0)
      const scenario = Either.getOrThrow(Scenario.fromJson('{"region":"eu-west-1"}'))
      const { region, ...others } = scenario
      assert.strictEqual(region, "eu-west-1")
      const { region: _, ...defaults } = Scenario.defaultScenario
      assert.deepStrictEqual(others, defaults)
      const now = DateTime.unsafeMake(0)
      assert.deepStrictEqual(
        yield* Effect.provide(statusesOf([record(now)]), MeteringSandbox.layer(scenario)),
        ["Success"]
      )
    })
  )
})

const expectedTime = "an ISO 8601 time with its zone, such as 2026-11-25T10:00:00Z"
const expectedDuration = 'a duration, such as "5 minutes", or a number of milliseconds'
const expectedDelay =
  'a duration of at most 1 day, such as "5 minutes", or a number of milliseconds'
const faultKinds =
  '"none", "throttling", "internalError", "unavailable", "rejection", "expiredCredentials", "latency", "slowBody", "cutBefore", "cutAfter", "unprocessed" or "clockSkew"'

const forms = {
  code: "1 to 255 characters, letters, digits and -/=:_.@",
  dimension: "1 to 255 characters",
  account: "1 to 255 characters, digits only",
  license: "1 to 2048 characters, an ARN of a license",
  keyId: "1 to 128 characters, without spaces, commas and slashes"
}

/** Names of invalid form, and their problems. */
const invalidNames: ReadonlyArray<readonly [Scenario.Options, place: string, words: string]> = [
  [
    { products: [{ code: "my product!", dimensions: [] }] },
    "products[0].code",
    `The product code "my product!": Expected ${forms.code}.`
  ],
  [
    { products: [{ code: "a", dimensions: ["x".repeat(256)] }] },
    "products[0].dimensions[0]",
    `The dimension "${"x".repeat(256)}": Expected ${forms.dimension}.`
  ],
  [
    { customers: [{ customerAWSAccountId: "acme-1", agreements: [] }] },
    "customers[0].customerAWSAccountId",
    `The customer account "acme-1": Expected ${forms.account}.`
  ],
  [
    {
      customers: [
        { customerAWSAccountId: "1", customerIdentifier: "x".repeat(256), agreements: [] }
      ]
    },
    "customers[0].customerIdentifier",
    `The customer identifier "${"x".repeat(256)}": Expected ${forms.dimension}.`
  ],
  [
    {
      customers: [
        {
          customerAWSAccountId: "1",
          agreements: [{ productCode: analytics, licenseArn: "not-an-arn" }]
        }
      ]
    },
    "customers[0].agreements[0].licenseArn",
    `The license "not-an-arn": Expected ${forms.license}.`
  ],
  ...["my key", "my/key", "my,key"].map(
    (accessKeyId) =>
      [
        { credentials: [{ accessKeyId, secretAccessKey: Redacted.make("s") }] },
        "credentials[0].accessKeyId",
        `The access key "${accessKeyId}": Expected ${forms.keyId}.`
      ] as const
  )
]

describe("a name of invalid form", () => {
  for (const [scenario, place, words] of invalidNames) {
    it(`${place} in a file, and in code: ${words.slice(0, 60)}`, () => {
      const problems = Either.match(Scenario.make(scenario), {
        onLeft: ({ problems }) => problems,
        onRight: () => []
      })
      assert.deepStrictEqual(problems, [words])
      // the placeholder of a redacted secret is a valid secret
      const file = JSON.stringify(scenario)
      assert.deepStrictEqual(problemsOf(file), [
        `${place}: ${words.slice(words.indexOf("Expected"), -1)}`
      ])
      assert.isFalse(isValid(JSON.parse(file), schema))
    })
  }
})

/** The last column is true for problems that JSON Schema cannot express. */
const invalidFiles: ReadonlyArray<
  readonly [text: string, problems: ReadonlyArray<string>, isValidForSchema?: boolean]
> = [
  ["[]", ["the scenario: Expected an object"]],
  ["null", ["the scenario: Expected an object"]],
  ['{"region":""}', ["region: Expected text that is not empty"]],
  ['{"region":5}', ["region: Expected text that is not empty"]],
  ['{"region":null}', ["region: Expected text that is not empty"]],
  ['{"products":{}}', ["products: Expected a list"]],
  ['{"products":[{}]}', ["products[0].code: is missing", "products[0].dimensions: is missing"]],
  [
    '{"products":[{"code":"a","dimensions":["x",""],"metering":"daily"}]}',
    [
      "products[0].dimensions[1]: Expected 1 to 255 characters",
      'products[0].metering: Expected "hourly" or "agentCore"'
    ]
  ],
  [
    '{"products":[{"code":"a","dimensions":[],"publicKeyVersions":[{"version":0},{"version":1.5}]}]}',
    [
      "products[0].publicKeyVersions[0].version: Expected a whole number from 1",
      "products[0].publicKeyVersions[1].version: Expected a whole number from 1"
    ]
  ],
  [
    '{"product":[]}',
    [
      "product: is not known. There are region, products, customers, caller, credentials, rules, quotas, faults, sellerAccount, targets, deliveryFaults, now and $schema"
    ]
  ],
  [
    '{"customers":[{"customerAWSAccountId":"1","agreements":[{"productCode":"a","license":"x"}]}]}',
    [
      "customers[0].agreements[0].license: is not known. There are productCode, licenseArn, startsAt, cancelledAt, endsAt, entitlements, agreementId, offerId, intent, previousAgreementId, acceptedAt, freeTrial, privateOffer, reseller, renewal, endReason, deprovisionedAt, failedAt and advisory"
    ]
  ],
  [
    '{"customers":[{"customerAWSAccountId":"1","agreements":[],"suspended":"no"}]}',
    ["customers[0].suspended: Expected a boolean"]
  ],
  ['{"now":"2026-11-25T10:00:00"}', [`now: Expected ${expectedTime}`]],
  ['{"now":"2026-11-25"}', [`now: Expected ${expectedTime}`]],
  ['{"now":"tomorrow"}', [`now: Expected ${expectedTime}`]],
  ['{"now":1764064800}', [`now: Expected ${expectedTime}`]],
  ['{"now":"2027-02-29T10:00:00Z"}', [`now: Expected ${expectedTime}`], true],
  ['{"now":"2026-11-25T25:00:00Z"}', [`now: Expected ${expectedTime}`], true],
  [
    '{"rules":{"futureTolerance":"5 min"}}',
    [`rules.futureTolerance: Expected ${expectedDuration}`]
  ],
  ['{"rules":{"futureTolerance":"5"}}', [`rules.futureTolerance: Expected ${expectedDuration}`]],
  ['{"rules":{"futureTolerance":-1}}', [`rules.futureTolerance: Expected ${expectedDuration}`]],
  [
    '{"rules":{"futureTolerance":"-1 hour"}}',
    [`rules.futureTolerance: Expected ${expectedDuration}`]
  ],
  ['{"rules":{"futureTolerance":[1,2]}}', [`rules.futureTolerance: Expected ${expectedDuration}`]],
  ['{"rules":{"windowBoundary":"day"}}', ['rules.windowBoundary: Expected "exact" or "hour"']],
  [
    '{"rules":{"idempotencyConflictStatus":500,"requestSizeLimit":0}}',
    [
      "rules.idempotencyConflictStatus: Expected 400 or 409",
      "rules.requestSizeLimit: Expected a whole number from 1"
    ]
  ],
  ['{"quotas":{"MeterUsage":0}}', ["quotas.MeterUsage: Expected a positive number"]],
  ['{"credentials":[]}', ["credentials[0]: is missing"]],
  [
    '{"credentials":[{"accessKeyId":"a","secretAccessKey":"b","allow":["All"]}]}',
    [
      'credentials[0].allow[0]: Expected "MeterUsage", "BatchMeterUsage", "RegisterUsage", "ResolveCustomer" or "GetEntitlements"'
    ]
  ],
  ['{"faults":{"script":[{"fault":"lag"}]}}', [`faults.script[0].fault: Expected ${faultKinds}`]],
  ['{"faults":{"script":[{}]}}', ["faults.script[0].fault: is missing"]],
  ['{"faults":{"script":["cutAfter"]}}', ["faults.script[0]: Expected an object"]],
  ['{"faults":{"script":[{"fault":"latency"}]}}', ["faults.script[0].duration: is missing"]],
  [
    '{"faults":{"script":[{"fault":"latency","duration":true}]}}',
    [`faults.script[0].duration: Expected ${expectedDelay}`]
  ],
  [
    '{"faults":{"script":[{"fault":"slowBody","duration":86400001}]}}',
    [`faults.script[0].duration: Expected ${expectedDelay}`]
  ],
  [
    '{"faults":{"script":[{"fault":"throttling","retryAfter":"25 hours"}]}}',
    [`faults.script[0].retryAfter: Expected ${expectedDelay}`],
    true
  ],
  [
    '{"faults":{"script":[{"fault":"clockSkew","ahead":"53 weeks"}]}}',
    [
      'faults.script[0].ahead: Expected a duration of at most 366 days, such as "5 minutes", or a number of milliseconds'
    ],
    true
  ],
  [
    '{"faults":{"script":[{"fault":"cutAfter","probability":0.5}]}}',
    ["faults.script[0].probability: is not known. There are fault, operation and times"]
  ],
  [
    '{"faults":{"chances":[{"fault":"rejection","probability":1.1,"code":""}]}}',
    [
      "faults.chances[0].code: Expected text that is not empty",
      "faults.chances[0].probability: Expected a number from 0 to 1"
    ]
  ],
  ['{"faults":{"seed":0.5}}', ["faults.seed: Expected an integer"]],
  [
    `{"customers":[{"customerAWSAccountId":"${acme}","agreements":[{"productCode":"x"}]}]}`,
    [`Customer ${acme} has an agreement for x, which is not a product of the scenario.`],
    true
  ],
  [
    `{"caller":{"customerAWSAccountId":"1","instanceId":"i"},"products":[{"code":"a","dimensions":[]},{"code":"a","dimensions":[]}]}`,
    ["The scenario has the product a twice.", "The caller 1 is not a customer of the scenario."],
    true
  ],
  [
    '{"region":"mars-1","products":[{"code":"a","dimensions":["b","c","b"],"region":"eu west 1"}]}',
    [
      'The Region "mars-1": Expected the name of a Region, such as us-east-1.',
      'The Region "eu west 1": Expected the name of a Region, such as us-east-1.',
      "Product a has the dimension b twice."
    ],
    true
  ],
  [
    '{"products":[{"code":"a","dimensions":[],"publicKeyVersions":[{"version":1},{"version":2},{"version":1}]}]}',
    ["Product a has the public key version 1 twice."],
    true
  ],
  [
    `{"customers":[{"customerAWSAccountId":"1","agreements":[{"productCode":"${analytics}","startsAt":"2026-11-25T10:00:00Z","endsAt":"2026-11-25T09:59:59Z"}]}]}`,
    [`Customer 1 has an agreement for ${analytics} that ends before it begins.`],
    true
  ]
]

const secretUrl = "http://user:wJalrXUtnFEMI@example.com/"

const invalidDeliveries: ReadonlyArray<readonly [Scenario.Options, ReadonlyArray<string>]> = [
  [
    {
      targets: [
        { type: "sqs", name: "a", url: "http://a/" },
        { type: "sns", name: "a", url: secretUrl },
        {
          type: "apiDestination",
          name: "b",
          url: "http://a/",
          headerValue: Redacted.make("wJalrXUtnFEMI\n")
        }
      ]
    },
    [
      "The target a: url: Expected a URL of http or https without user name and password, or a path of the sandbox's server from /_sandbox/ on, at most 2048 characters.",
      "The target b: headerValue: Expected 1 to 4096 printable ASCII characters.",
      "The scenario has the target a twice."
    ]
  ],
  [
    {
      products: [{ code: "a", dimensions: [], landingUrl: secretUrl }],
      customers: [
        {
          customerAWSAccountId: "1",
          agreements: [
            { productCode: "a", agreementId: "agmt-1" },
            { productCode: "a", agreementId: "agmt-1" }
          ]
        }
      ]
    },
    [
      "The landingUrl of product a: Expected a URL of http or https without user name and password, at most 2048 characters.",
      "The scenario has the agreement agmt-1 twice."
    ]
  ]
]

it.each(invalidDeliveries)(
  "invalid targets and pages in code are problems %#",
  (options, expected) => {
    const { problems } = Either.getOrThrow(Either.flip(Scenario.make(options)))
    assert.deepStrictEqual([...problems], [...expected])
  }
)

describe("an invalid file lists each problem with its place and the expected value", () => {
  for (const [text, problems, isValidForSchema = false] of invalidFiles) {
    it(text, () => {
      assert.deepStrictEqual([...problemsOf(text)].sort(), [...problems].sort())
      assert.strictEqual(isValid(JSON.parse(text), schema), isValidForSchema)
    })
  }

  it("the message is the only problem, or a list of them", () => {
    const message = (text: string) =>
      Either.getOrThrow(Either.flip(Scenario.fromJson(text))).message
    assert.strictEqual(message('{"region":""}'), "region: Expected text that is not empty")
    assert.strictEqual(
      message('{"region":"","now":""}'),
      `The scenario has 2 problems:\n- region: Expected text that is not empty\n- now: Expected ${expectedTime}`
    )
  })
})

describe("a file that is not JSON", () => {
  const files: ReadonlyArray<readonly [text: string, place: string]> = [
    ["", "it ends too early."],
    ['{"region": "eu', "it ends too early."],
    ['{"region": tr', "it ends too early."],
    ['{\n  "region": "a"\n', "it ends too early."],
    ['{\n  "region": eu\n}', "line 2, column 13."],
    ['{\n  "region": "a",\n}', "line 3, column 1."],
    ['{"region": "a"} x', "line 1, column 17."],
    ["{'region': 1}", "line 1, column 2."],
    ['{"a": 01}', "line 1, column 8."],
    ["// mine\n{}", "line 1, column 1."]
  ]
  for (const [text, place] of files) {
    it(JSON.stringify(text), () => {
      assert.deepStrictEqual(problemsOf(text), [`This is not JSON: ${place}`])
    })
  }

  it.prop(
    "names the position of an invalid character",
    [FastCheck.json(), FastCheck.nat()],
    ([text, pick]) => {
      const position = pick % (text.length + 1)
      const broken = `${text.slice(0, position)}\u0001${text.slice(position)}`
      const [problem = ""] = problemsOf(broken)
      assert.strictEqual(problem, `This is not JSON: line 1, column ${position + 1}.`)
    }
  )
})

describe("secrets", () => {
  const secret = "wJalrXUtnFEMI"
  const accessKeys: ReadonlyArray<readonly [string, unknown]> = [
    ["an invalid access key id", { accessKeyId: 5, secretAccessKey: secret, sessionToken: secret }],
    ["a secret in a list", { accessKeyId: "a", secretAccessKey: [secret] }],
    ["a token in an object", { accessKeyId: "a", secretAccessKey: "b", sessionToken: { secret } }],
    ["an unknown field", { accessKeyId: "a", secretAccessKey: secret, expires: secret }],
    ["an invalid time", { accessKeyId: "a", secretAccessKey: secret, expiration: secret }],
    ["a string instead of an access key", secret]
  ]
  for (const [fault, accessKey] of accessKeys) {
    it(`are not in errors: ${fault}`, () => {
      const outcome = Scenario.fromJson(JSON.stringify({ credentials: [accessKey] }))
      assert.isTrue(Either.isLeft(outcome))
      assert.notInclude(Inspectable.toStringUnknown(outcome), secret)
      assert.notInclude(JSON.stringify(outcome), secret)
    })
  }

  it("are not in errors of a file that is not JSON", () => {
    for (const text of [`{"credentials": ${secret}}`, `{"credentials": "${secret}`]) {
      assert.notInclude(JSON.stringify(problemsOf(text)), secret)
    }
  })

  it("are redacted in the scenario, and written to its file", () => {
    const scenario = Either.getOrThrow(
      Scenario.fromJson(
        JSON.stringify({ credentials: [{ accessKeyId: "a", secretAccessKey: secret }] })
      )
    )
    assert.notInclude(JSON.stringify(scenario), secret)
    assert.include(Scenario.toJson(scenario), secret)
  })
})

// ---------------------------------------------------------------------------------------------------
// round trip
// ---------------------------------------------------------------------------------------------------

const fc = FastCheck
const name = fc.string({ minLength: 1, maxLength: 8 })
const code = fc.stringMatching(/^[-a-zA-Z0-9/=:_.@]{1,8}$/)
const account = fc.stringMatching(/^[0-9]{1,12}$/)
const keyId = fc.stringMatching(/^[^/,\s]{1,8}$/)
const time = fc
  .date({ min: new Date(0), max: new Date("9999-12-31T23:59:59.999Z"), noInvalidDate: true })
  .map((date) => DateTime.unsafeMake(date))
const span: FastCheck.Arbitrary<Duration.DurationInput> = fc.oneof(
  fc.nat(),
  fc.constantFrom<Duration.DurationInput>("5 minutes", "1.5 hours", Duration.days(2), [3, 500])
)
/** The duration of a delay. */
const wait: FastCheck.Arbitrary<Duration.DurationInput> = fc.oneof(
  fc.nat({ max: 86_400_000 }),
  fc.constantFrom<Duration.DurationInput>("5 minutes", "1.5 hours", Duration.days(1), [3, 500])
)
const secret = name.map((text) => Redacted.make(text))
const some = <A extends object>(fields: { readonly [K in keyof A]: FastCheck.Arbitrary<A[K]> }) =>
  fc.record(fields, { requiredKeys: [] })
const operation = fc.constantFrom(
  "MeterUsage" as const,
  "BatchMeterUsage" as const,
  "RegisterUsage" as const,
  "ResolveCustomer" as const
)
const share = fc.double({ min: 0, max: 1, noNaN: true })

const fault = fc.oneof(
  fc.constantFrom(
    { fault: "none" as const },
    { fault: "internalError" as const },
    { fault: "cutAfter" as const }
  ),
  wait.map((duration) => ({ fault: "latency" as const, duration })),
  wait.map((retryAfter) => ({ fault: "throttling" as const, retryAfter })),
  share.map((share) => ({ fault: "unprocessed" as const, share })),
  name.map((code) => ({ fault: "rejection" as const, code })),
  span.map((behind) => ({ fault: "clockSkew" as const, behind }))
)

const faults = some({
  script: fc.array(
    fc
      .tuple(fault, some({ operation, times: fc.integer({ min: 1 }) }))
      .map(([fault, step]) => ({ ...fault, ...step })),
    { maxLength: 3 }
  ),
  chances: fc.array(
    fc
      .tuple(fault, share, some({ operation }))
      .map(([fault, probability, more]) => ({ ...fault, probability, ...more })),
    { maxLength: 3 }
  ),
  seed: fc.integer()
})

const agreementOf = (productCode: FastCheck.Arbitrary<string>) =>
  fc
    .tuple(
      productCode,
      some({
        startsAt: time,
        cancelledAt: time,
        endsAt: time,
        acceptedAt: time,
        deprovisionedAt: time,
        failedAt: time,
        offerId: fc.constant("offer-a1"),
        intent: fc.constantFrom("NEW" as const, "RENEW" as const, "REPLACE" as const),
        endReason: fc.constantFrom("TERMINATED" as const, "RENEWED" as const),
        previousAgreementId: fc.constant("agmt-a1"),
        reseller: account,
        renewal: fc.constantFrom({}, { lockoutDays: 30, termsFinalizedDays: 60 }),
        freeTrial: fc.boolean(),
        privateOffer: fc.boolean(),
        advisory: fc.boolean()
      })
    )
    .map(([productCode, times]) => ({ productCode, ...times }))
    .filter(
      ({ endsAt, startsAt }) => !endsAt || !startsAt || DateTime.lessThanOrEqualTo(startsAt, endsAt)
    )

const url = fc.webUrl({ validSchemes: ["http", "https"] })

const targets = fc.uniqueArray(
  fc.oneof(
    fc
      .tuple(
        name,
        url,
        some({ topicArn: name, signatureVersion: fc.constantFrom("1" as const, "2" as const) })
      )
      .map(([name, url, more]) => ({ type: "sns" as const, name, url, ...more })),
    fc
      .tuple(name, url, fc.stringMatching(/^[!-~]{1,8}$/), some({ headerName: fc.constant("x-a") }))
      .map(([name, url, text, more]) => ({
        type: "apiDestination" as const,
        name,
        url,
        headerValue: Redacted.make(text),
        ...more
      })),
    fc
      .tuple(
        name,
        url,
        some({ envelope: fc.constantFrom("sns" as const, "raw" as const), endpoint: url })
      )
      .map(([name, url, more]) => ({ type: "sqs" as const, name, url, ...more }))
  ),
  { maxLength: 3, selector: ({ name }) => name }
)

const region = fc.constantFrom("us-east-1", "us-gov-west-1", "ap-southeast-2", "eusc-de-east-1")

const catalog = fc.uniqueArray(code, { minLength: 1, maxLength: 3 }).chain((codes) =>
  fc.record({
    region,
    products: fc.tuple(
      ...codes.map((code) =>
        fc
          .tuple(
            fc.uniqueArray(name, { maxLength: 3 }),
            some({
              region,
              metering: fc.constantFrom("hourly" as const, "agentCore" as const),
              productId: fc.constant("prod-a1"),
              landingUrl: url,
              publicKeyVersions: fc.uniqueArray(
                fc
                  .tuple(fc.integer({ min: 1 }), some({ rotationTimestamp: time }))
                  .map(([version, more]) => ({ version, ...more })),
                { maxLength: 2, selector: ({ version }) => version }
              )
            })
          )
          .map(([dimensions, more]) => ({ code, dimensions, ...more }))
      )
    ),
    customers: fc.uniqueArray(
      fc
        .tuple(
          account,
          fc.array(agreementOf(fc.constantFrom(...codes)), { maxLength: 3 }),
          some({ suspended: fc.boolean() })
        )
        .map(([customerAWSAccountId, agreements, more]) => ({
          customerAWSAccountId,
          customerIdentifier: `id ${customerAWSAccountId}`,
          agreements: agreements.map((agreement, index) => ({
            ...agreement,
            agreementId: `agmt-${customerAWSAccountId}x${index}`,
            licenseArn: `arn:aws:license-manager::${customerAWSAccountId}:license:l-${index}`
          })),
          ...more
        })),
      { minLength: 1, maxLength: 3, selector: (customer) => customer.customerAWSAccountId }
    )
  })
)

const scenario: FastCheck.Arbitrary<Scenario.Scenario> = catalog.chain((catalog) =>
  some({
    caller: fc
      .tuple(fc.constantFrom(...catalog.customers), name, some({ supportedPlatform: fc.boolean() }))
      .map(([{ customerAWSAccountId }, instanceId, more]) => ({
        customerAWSAccountId,
        instanceId,
        ...more
      })),
    credentials: fc
      .tuple(
        keyId,
        secret,
        some({ sessionToken: secret, expiration: time, allow: fc.array(operation) })
      )
      .map(
        ([accessKeyId, secretAccessKey, more]) =>
          [{ accessKeyId, secretAccessKey, ...more }] as const
      ),
    rules: some({
      registrationTokenLifetime: span,
      futureTolerance: span,
      windowBoundary: fc.constantFrom("exact" as const, "hour" as const),
      dryRun: fc.constantFrom("error" as const, "response" as const),
      idempotencyConflictStatus: fc.constantFrom(400 as const, 409 as const),
      requestSizeLimit: fc.integer({ min: 1 }),
      landingFields: fc.constantFrom("documented" as const, "observed" as const),
      licenseEventDelay: span,
      deprovisionedEventDelay: span,
      finalHourStartsAt: fc.constantFrom("ended" as const, "deprovisioned" as const)
    }),
    quotas: some({ MeterUsage: fc.integer({ min: 1 }) }),
    faults,
    targets,
    sellerAccount: account,
    deliveryFaults: some({
      duplicate: share,
      drop: share,
      reorder: share,
      delay: fc.record({ share, duration: wait }),
      afterLanding: fc.boolean(),
      seed: fc.integer()
    }),
    now: time
  }).map((more) => ({ ...catalog, ...more }))
)

/** Replaces durations and secrets by values that can be compared. */
const comparable = (value: unknown): unknown =>
  Redacted.isRedacted(value)
    ? { redacted: Redacted.value(value) }
    : DateTime.isDateTime(value)
      ? value.epochMillis
      : Duration.isDuration(value)
        ? Duration.toMillis(value)
        : Array.isArray(value)
          ? value.map(comparable)
          : typeof value === "object" && value !== null
            ? Object.fromEntries(
                Object.entries(value)
                  .filter(([, member]) => member !== undefined)
                  .map(([name, member]) => [
                    name,
                    ["duration", "retryAfter", "ahead", "behind"].includes(name) ||
                    /Lifetime$|Tolerance$|EventDelay$/.test(name)
                      ? Duration.toMillis(member as Duration.DurationInput)
                      : comparable(member)
                  ])
              )
            : value

describe("toJson and fromJson", () => {
  it.prop("fromJson reads what toJson wrote", [scenario], ([scenario]) => {
    const text = Scenario.toJson(scenario)
    const read = Either.getOrThrow(Scenario.fromJson(text))
    assert.deepStrictEqual(comparable(read), comparable(scenario))
    // the text is canonical
    assert.strictEqual(Scenario.toJson(read), text)
    assert.isTrue(isValid(JSON.parse(text), schema))
  })

  it("write and read the default scenario", () => {
    const text = Scenario.toJson(Scenario.defaultScenario)
    assert.deepStrictEqual(Either.getOrThrow(Scenario.fromJson(text)), Scenario.defaultScenario)
    assert.match(text, /^\{\n {2}"region": "us-east-1",\n[\s\S]*\}\n$/)
  })

  it("toJson fails without secrets for a value without a JSON form", () => {
    const write = () =>
      Scenario.toJson({
        region: "",
        credentials: [{ accessKeyId: "", secretAccessKey: Redacted.make("wJalrXUtnFEMI") }]
      })
    assert.throws(write, Scenario.ScenarioError, /region: Expected text/)
    assert.doesNotThrow(() => Either.try(write))
    assert.notInclude(JSON.stringify(Either.try(write)), "wJalrXUtnFEMI")
  })

  it("toJson writes only the given parts", () => {
    assert.strictEqual(Scenario.toJson({ region: "eu-west-1" }), '{\n  "region": "eu-west-1"\n}\n')
    assert.isTrue(Equal.equals(Scenario.toJson({}), "{}\n"))
  })
})

describe("the JSON Schema", () => {
  const places = (value: unknown, path: string): ReadonlyArray<readonly [string, unknown]> =>
    typeof value !== "object" || value === null
      ? []
      : Object.entries(value).flatMap(([key, member]) => [
          ...(path.endsWith(".properties")
            ? [[`${path}.${key}`, (member as { description?: unknown }).description] as const]
            : []),
          ...places(member, `${path}.${key}`)
        ])

  it("describes every field in a sentence", () => {
    const fields = places(schema, "")
    assert.isAbove(fields.length, 60)
    for (const [path, description] of fields) {
      assert.match(String(description), /^[A-Z].*\.$/, path)
    }
  })

  it("has the fields of the type", () => {
    const { properties } = schema as { properties: Record<string, unknown> }
    assert.sameMembers(Object.keys(properties), [
      ...Object.keys(Scenario.Scenario.fields),
      "$schema"
    ])
  })

  it("accepts the default scenario", () => {
    assert.isTrue(isValid(JSON.parse(Scenario.toJson(Scenario.defaultScenario)), schema))
    assert.isFalse(isValid({ analytics }, schema))
  })
})
