/** Examples and environment variables in help. */

/** Descriptions by term. */
export type Definitions = { readonly [term: string]: string }

/** By command: descriptions of command lines. */
export const examples: { readonly [command: string]: Definitions } = {
  submit: {
    "submit usage.csv --product-code 4v9hm1u3i5p7l3c0 --dry-run":
      "Show every error in a file, and send nothing:",
    "submit usage.csv --product-code 4v9hm1u3i5p7l3c0 --rejected rejected.csv":
      "Submit it, and save the records that were not accepted:",
    "submit - --format ndjson --json": "Submit standard input, and print JSON for another program:"
  },
  meter: {
    "meter --product-code 4v9hm1u3i5p7l3c0 --dimension hosts --quantity 3":
      "Report three hosts for this hour:",
    "meter --product-code 4v9hm1u3i5p7l3c0 --dimension hosts --quantity 3 --dry-run":
      "Check the permission to do so from here:"
  },
  resolve: {
    "resolve token.txt": "Identify the buyer by the token in a file:",
    "resolve - --json": "The same for a token on standard input:"
  },
  register: {
    "register --product-code 4v9hm1u3i5p7l3c0 --public-key key.pem":
      "Register, and verify the response:"
  },
  sandbox: {
    sandbox: "Run the built-in scenario on the default port:",
    "sandbox --port 0 --scenario scenario.json --state state.json":
      "Your own products and customers, remembered over restarts:"
  },
  doctor: {
    doctor: "Check everything that has no effect:",
    "doctor --operation BatchMeterUsage --product-code 4v9hm1u3i5p7l3c0":
      "Check only the operation of a SaaS seller:"
  }
}

const terminalVariables: Definitions = {
  NO_COLOR: "When set, nothing is printed in color."
}

const awsVariables: Definitions = {
  AWS_REGION: "The Region to call and to sign for.",
  AWS_PROFILE: "The profile of the shared AWS files.",
  "AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_SESSION_TOKEN":
    "Credentials. Without them, they are found as by every AWS tool.",
  AWS_ENDPOINT_URL_MARKETPLACE_METERING:
    "The URL to call, such as a sandbox. Defaults to the endpoint of the Region.",
  "HTTPS_PROXY, HTTP_PROXY, NO_PROXY":
    "The proxy for calls, and the hosts to call without it. Calls to this machine and requests for credentials use no proxy.",
  ...terminalVariables
}

export const environmentOf = (command: string): Definitions =>
  command === "sandbox" ? terminalVariables : awsVariables
