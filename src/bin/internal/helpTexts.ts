/** Texts of the help beside the options: examples and the environment. */

export interface HelpEntry {
  readonly term: string
  readonly text: string
}

/** Of each command: what it is for, and how it is written, without the command's own name. */
export const examples: { readonly [command: string]: ReadonlyArray<HelpEntry> } = {
  submit: [
    {
      term: "submit usage.csv --product-code 4v9hm1u3i5p7l3c0 --dry-run",
      text: "Show every error in a file, and send nothing:"
    },
    {
      term: "submit usage.csv --product-code 4v9hm1u3i5p7l3c0 --rejected rejected.csv",
      text: "Submit it, and keep what was not accepted:"
    },
    {
      term: "submit - --format ndjson --json",
      text: "Submit what is piped in, for another program:"
    }
  ],
  meter: [
    {
      term: "meter --product-code 4v9hm1u3i5p7l3c0 --dimension hosts --quantity 3",
      text: "Report three hosts for this hour:"
    },
    {
      term: "meter --product-code 4v9hm1u3i5p7l3c0 --dimension hosts --quantity 3 --dry-run",
      text: "Ask whether that may be metered from here:"
    }
  ],
  resolve: [
    { term: "resolve token.txt", text: "Learn who has signed up with the token in a file:" },
    { term: "resolve - --json", text: "The same for a token that is piped in:" }
  ],
  register: [
    {
      term: "register --product-code 4v9hm1u3i5p7l3c0 --public-key key.pem",
      text: "Ask, and verify the answer:"
    }
  ],
  sandbox: [
    { term: "sandbox", text: "Run the built-in world on its usual port:" },
    {
      term: "sandbox --port 0 --scenario scenario.json --state state.json",
      text: "Your own products and customers, remembered over restarts:"
    }
  ],
  doctor: [
    { term: "doctor", text: "Try everything that can be tried without an effect:" },
    {
      term: "doctor --operation BatchMeterUsage --product-code 4v9hm1u3i5p7l3c0",
      text: "Only what a SaaS seller needs:"
    }
  ]
}

const terminalVariables: ReadonlyArray<HelpEntry> = [
  { term: "NO_COLOR", text: "When set, nothing is printed in colour." }
]

const awsVariables: ReadonlyArray<HelpEntry> = [
  { term: "AWS_REGION", text: "The Region to call, and to sign for." },
  { term: "AWS_PROFILE", text: "The profile of the shared AWS files." },
  {
    term: "AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_SESSION_TOKEN",
    text: "Credentials. Without them, they are found as by every AWS tool."
  },
  {
    term: "AWS_ENDPOINT_URL_MARKETPLACE_METERING",
    text: "Where to call in place of the Region's endpoint, such as a sandbox."
  },
  {
    term: "HTTPS_PROXY, HTTP_PROXY, NO_PROXY",
    text: "The proxy for calls, and the hosts that need none. This machine never does, and credentials are not asked for through it."
  },
  ...terminalVariables
]

export const environmentOf = (command: string): ReadonlyArray<HelpEntry> =>
  command === "sandbox" ? terminalVariables : awsVariables
