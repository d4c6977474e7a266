/**
 * A sandbox of AWS Marketplace Metering, in memory and over HTTP. It runs where there is `node:crypto`: Node.js, Bun, Deno.
 *
 * @since 0.1.0
 */

/**
 * What can go wrong, to be met on purpose.
 *
 * @since 0.1.0
 */
export * as Fault from "./Fault.js"

/**
 * What buyers do.
 *
 * @since 0.1.0
 */
export * as Marketplace from "./Marketplace.js"

/**
 * The sandbox as a `MeteringClient`, and what there is to see behind it.
 *
 * @since 0.1.0
 */
export * as MeteringSandbox from "./MeteringSandbox.js"

/**
 * What there is to see behind a sandbox.
 *
 * @since 0.1.0
 */
export * as Report from "./Report.js"

/**
 * The control of a sandbox over HTTP.
 *
 * @since 0.1.0
 */
export * as SandboxApi from "./SandboxApi.js"

/**
 * Any `MeteringClient` behind AWS JSON 1.1 on HTTP.
 *
 * @since 0.1.0
 */
export * as SandboxServer from "./SandboxServer.js"

/**
 * The world that a sandbox starts in.
 *
 * @since 0.1.0
 */
export * as Scenario from "./Scenario.js"
