/**
 * Where the service is called, and how long an answer may take.
 *
 * @since 0.1.0
 */
import * as Context from "effect/Context"
import type * as Duration from "effect/Duration"
import type { Rule } from "./Preflight.js"

/**
 * A configuration in which region and endpoint have been settled.
 *
 * @since 0.1.0
 * @category models
 */
export interface Service {
  /** The Region that requests are signed for. */
  readonly region: string
  /** Where requests go. */
  readonly endpoint: string
  readonly requestTimeout: Duration.Duration
  /** Preflight rules that are not checked. */
  readonly except: ReadonlyArray<Rule>
}

/**
 * The client's configuration.
 *
 * @since 0.1.0
 * @category tags
 */
export class MeteringConfig extends Context.Tag("effect-marketplace-metering/MeteringConfig")<
  MeteringConfig,
  Service
>() {}
