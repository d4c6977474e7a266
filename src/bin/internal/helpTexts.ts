/** Examples and environment variables in help. */

/** Descriptions by term. */
type Definitions = { readonly [term: string]: string }

/** Example command lines with their descriptions, by command. */
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
  "ledger init": {
    "ledger init --database sqlite:usage.db --seller my-company --target service --products products.json":
      "Make a ledger in a file:"
  },
  "ledger subscribe": {
    "ledger subscribe agreement-1 --product analytics --customer-aws-account-id 111122223333":
      "Add a customer:"
  },
  "ledger record": {
    "ledger record usage.csv --rejected rejected.csv": "Record a file of usage, each id once:",
    "ledger record - --format ndjson --json": "Record standard input, and print JSON for a program:"
  },
  "ledger adjust": {
    "ledger adjust request-1 --quantity 0 --reason mistaken": "Correct what was recorded:"
  },
  "ledger run": {
    "ledger run --port 8080": "Report as a process, with its health at /health:",
    "ledger run --once": "Report once, as by cron:"
  },
  "ledger status": {
    "ledger status": "Show what is recorded, billed, and at risk:"
  },
  "ledger statement": {
    "ledger statement --customer 111122223333 --month 2026-11 --csv":
      "Print the usage of a customer, and the evidence that it is billed:"
  },
  "ledger retry": {
    "ledger retry --product analytics": "Send now what was rejected, once its cause is corrected:"
  },
  "ledger close": {
    "ledger close agreement-1": "End a subscription after a cancellation:"
  },
  "ledger recover": {
    "ledger recover": "Resume reporting after a restored backup:"
  },
  "ledger verify": {
    "ledger verify": "Check every sum of the ledger:"
  },
  sandbox: {
    sandbox: "Run the built-in scenario on the default port:",
    "sandbox --port 0 --scenario scenario.json --state state.json":
      "Your own products and customers, remembered over restarts:",
    "sandbox --port 0 --ready-file sandbox.json":
      "In the background of a test, which waits for the file and reads its url:"
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
    "Credentials. Default to the sources that every AWS tool uses.",
  AWS_ENDPOINT_URL_MARKETPLACE_METERING:
    "The URL to call, such as a sandbox. Defaults to the endpoint of the Region.",
  "HTTPS_PROXY, HTTP_PROXY, NO_PROXY":
    "The proxy for calls, and the hosts to call without it. Calls to this machine and requests for credentials use no proxy.",
  ...terminalVariables
}

const ledgerVariables: Definitions = {
  LEDGER_DATABASE_URL: "The database, in place of --database."
}

export const environmentOf = (command: string): Definitions =>
  command === "sandbox"
    ? terminalVariables
    : command === "ledger run"
      ? { ...ledgerVariables, ...awsVariables }
      : command.startsWith("ledger")
        ? { ...ledgerVariables, ...terminalVariables }
        : awsVariables
