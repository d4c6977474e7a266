/**
 * A sandbox of AWS Marketplace Metering, in memory and over HTTP. Requires `node:crypto`: Node.js, Bun or Deno.
 *
 * @since 0.1.0
 */

/**
 * Events of a sandbox, their targets and deliveries.
 *
 * @since 0.1.0
 */
export * as EventDelivery from "./EventDelivery.js"

/**
 * Faults to inject.
 *
 * @since 0.1.0
 */
export * as Fault from "./Fault.js"

/**
 * Inputs and results of the actions of buyers.
 *
 * @since 0.1.0
 */
export * as Marketplace from "./Marketplace.js"

/**
 * The sandbox as an in-memory `MeteringClient`, with a service that controls and inspects it.
 *
 * @since 0.1.0
 */
export * as MeteringSandbox from "./MeteringSandbox.js"

/**
 * Billed usage and calls of a sandbox.
 *
 * @since 0.1.0
 */
export * as Report from "./Report.js"

/**
 * The HTTP API to control a sandbox.
 *
 * @since 0.1.0
 */
export * as SandboxApi from "./SandboxApi.js"

/**
 * Any `MeteringClient` as an HTTP server that speaks AWS JSON 1.1.
 *
 * @since 0.1.0
 */
export * as SandboxServer from "./SandboxServer.js"

/**
 * The initial state of a sandbox.
 *
 * @since 0.1.0
 */
export * as Scenario from "./Scenario.js"
