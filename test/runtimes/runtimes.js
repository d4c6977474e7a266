// The runtimes of the suite: npm packages with their binaries, how to start them, and their known failures.
import { inProcess, inWorkerd, withoutPackages } from "./runSuite.js"

const platform = process.platform === "win32" ? "win" : process.platform

const node = (major, version) => ({
  name: "Node.js",
  version,
  packages: { [`node${major}`]: `npm:node-${platform}-${process.arch}@${version}` },
  ...inProcess(`node_modules/node${major}/bin/node`)
})

const indistinct =
  "its fetch does not distinguish a refused connection from a broken one, so the error has the delivery `unknown` instead of `notSent`"

const repeats =
  "its fetch repeats a request if a kept-alive connection is closed; the bytes are the same, so it is billed once"

/**
 * `knownFailures` has the checks that fail, by HTTP client, with the reason; `every` stands for all checks. They run all
 * the same, and one that passes is a failure until it is removed.
 */
export const runtimes = {
  node20: node(20, "20.20.2"),
  node22: node(22, "22.23.3"),
  node24: node(24, "24.21.0"),
  bun: {
    name: "Bun",
    version: "1.4.5",
    packages: { bun: "1.4.5" },
    ...inProcess("node_modules/.bin/bun"),
    knownFailures: {
      undici: {
        every: "it replaces undici with an implementation that lacks features of the client"
      }
    }
  },
  deno: {
    name: "Deno",
    version: "2.9.6",
    packages: { deno: "2.9.6" },
    ...inProcess("node_modules/.bin/deno", "run", "--allow-all", "--node-modules-dir=manual"),
    knownFailures: {
      fetch: {
        "reports notSent for a refused connection": indistinct,
        "reports unknown delivery for a cut connection": repeats,
        "makes one attempt per call, also over a kept-alive connection": repeats
      }
    }
  },
  workerd: {
    name: "workerd",
    version: "1.20261117.1",
    packages: { workerd: "1.20261117.1" },
    ...inWorkerd,
    knownFailures: {
      fetch: { "reports notSent for a refused connection": indistinct }
    }
  },
  browser: {
    name: "Node.js, a bundle for browsers",
    version: process.versions.node,
    packages: {},
    ...withoutPackages
  }
}
