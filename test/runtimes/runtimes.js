// What the suite is played on: each runtime as packages of the npm registry that have the binary inside, how it is
// started, and what is known that it cannot do.
import { inProcess, inWorkerd, withoutPackages } from "./runSuite.js"

const platform = process.platform === "win32" ? "win" : process.platform

const node = (major, version) => ({
  name: "Node.js",
  version,
  packages: { [`node${major}`]: `npm:node-${platform}-${process.arch}@${version}` },
  ...inProcess(`node_modules/node${major}/bin/node`)
})

const unnamed =
  "its fetch does not tell a refused connection from a broken one, so the error calls unknown what was not sent"

const repeats =
  "its fetch sends a request again by itself when a connection that was kept is closed; the bytes are the same, so they are billed once"

/**
 * `cannot` says of each HTTP client which checks fail there, and why; `every` stands for all of them. They are
 * made all the same, and one that has come to pass is a failure, until it is taken off.
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
    cannot: {
      undici: {
        every: "it has its own in the place of undici, and that lacks what the client needs"
      }
    }
  },
  deno: {
    name: "Deno",
    version: "2.9.6",
    packages: { deno: "2.9.6" },
    ...inProcess("node_modules/.bin/deno", "run", "--allow-all", "--node-modules-dir=manual"),
    cannot: {
      fetch: {
        "knows that nothing was sent where nobody listens": unnamed,
        "does not know what became of a request whose connection was cut": repeats,
        "makes one attempt per call, also over a connection that is kept": repeats
      }
    }
  },
  workerd: {
    name: "workerd",
    version: "1.20261117.1",
    packages: { workerd: "1.20261117.1" },
    ...inWorkerd,
    cannot: {
      fetch: { "knows that nothing was sent where nobody listens": unnamed }
    }
  },
  browser: {
    name: "Node.js, a bundle for browsers",
    version: process.versions.node,
    packages: {},
    ...withoutPackages
  }
}
