import { fileURLToPath } from "node:url"
import { defineConfig } from "vitest/config"

const root = fileURLToPath(new URL("..", import.meta.url))

/** Tests that replace modules, or read what all tests of a process share, such as the registry of metrics. */
const isolated = [
  "test/MeteringClient.operation.test.ts",
  "test/docs/readme.test.ts",
  "test/internal/sigv4/sign.webCrypto.test.ts",
  "test/ledger/SqliteLedgerStore.drivers.test.ts",
  "test/ledger/SqliteLedgerStore.places.test.ts"
]

const excluded = [
  "test/types/**",
  "node_modules/**",
  // with packages that require it
  ...(Number.parseInt(process.versions.node, 10) < 22 ? ["**/*.node22.test.ts"] : [])
]

const src = (path: string) => `${root}src/${path}`

export default defineConfig({
  root,
  resolve: {
    alias: [
      { find: "#connectFailures", replacement: src("internal/client/connectFailures.node.ts") },
      { find: "#pages", replacement: src("sandbox/internal/pages/index.js") },
      { find: "#sha256", replacement: src("internal/sigv4/sha256.node.ts") },
      { find: /^effect-marketplace-metering$/, replacement: src("index.ts") },
      {
        find: /^effect-marketplace-metering\/(node|sandbox|aws-sdk|ledger|lifecycle|entitlement(?:\/aws-sdk)?)$/,
        replacement: src("$1/index.ts")
      },
      { find: /^effect-marketplace-metering\/([A-Z]\w+)$/, replacement: src("$1.ts") }
    ]
  },
  test: {
    projects: [
      {
        extends: true,
        test: {
          name: "shared",
          include: ["test/**/*.test.{ts,js}", "examples/**/*.test.ts"],
          exclude: [...excluded, ...isolated],
          // evaluates modules once for each process, because their evaluation took a third of the time
          isolate: false
        }
      },
      { extends: true, test: { name: "isolated", include: isolated } }
    ],
    // nothing is measured by the clock, and a busy machine takes its time
    testTimeout: 60_000,
    // all cores: by default one is left free, which is half of a machine with two
    maxWorkers: "100%",
    hookTimeout: 60_000,
    setupFiles: [`${root}test/support/environment.ts`],
    reporters: ["default", `${root}test/support/summaryReporter.ts`]
  }
})
