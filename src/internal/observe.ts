/** Span and metrics of one call. Nothing of a request or an answer but status, id and counts. */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as FiberRef from "effect/FiberRef"
import * as Metric from "effect/Metric"
import type { OperationName } from "../MeteringError.js"
import * as MeteringMetrics from "../MeteringMetrics.js"
