/** Errors of a server that cannot listen, with the reason. */
import type { ServeError } from "@effect/platform/HttpServerError"
import * as Predicate from "effect/Predicate"
import { type CliError, cannotRun } from "./cliError.js"

const reasons: { readonly [code: string]: string } = {
  EADDRINUSE: "port in use. Choose another with --port; --port 0 takes any free port.",
  EACCES: "permission denied. Choose a port from 1024 with --port.",
  EADDRNOTAVAIL: "this machine does not have that address. Choose another with --host.",
  ENOTFOUND: "no such host. Choose another with --host."
}

export const toListenError =
  (server: string, { host, port }: { readonly host: string; readonly port: number }) =>
  ({ cause }: ServeError): CliError => {
    const code = Predicate.hasProperty(cause, "code") ? String(cause.code) : "unknown error"
    return cannotRun(
      `${server} cannot listen on ${host}, port ${port}: ${reasons[code] ?? `${code}.`}`
    )
  }
