/** A client of the sandbox's control API that needs only fetch, so that it runs on every runtime. */
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import type { Fault, Marketplace, Report } from "effect-marketplace-metering/sandbox"

/** Controls the sandbox and the stub server at these URLs. */
export const control = (sandbox: string, stubServer: string) => {
  const request = (method: string, path: string, body?: object) =>
    Effect.promise(async () => {
      const response = await fetch(`${sandbox}/_sandbox${path}`, {
        method,
        ...(body !== undefined && {
          body: JSON.stringify(body),
          headers: { "content-type": "application/json" }
        })
      })
      const text = await response.text()
      if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${text}`)
      return text
    })
  // the types are those of the sandbox's documentation
  const json = <A>(text: Effect.Effect<string>) => Effect.map(text, (text) => JSON.parse(text) as A)
  return {
    reset: request("POST", "/reset"),
    setFaults: (...script: ReadonlyArray<Fault.ScriptedFault>) =>
      request("PUT", "/faults", { script }),
    mintToken: (agreement: Marketplace.AgreementSelector) =>
      Effect.map(
        json<{ readonly registrationToken: string }>(request("POST", "/tokens", agreement)),
        ({ registrationToken }) => Redacted.make(registrationToken)
      ),
    /** The quantities that are billed. */
    billed: Effect.map(
      json<{ readonly billed: ReadonlyArray<Pick<Report.BilledUsage, "quantity">> }>(
        request("GET", "/billed")
      ),
      ({ billed }) => billed.map(({ quantity }) => quantity)
    ),
    calls: json<Report.CallCounts>(request("GET", "/calls")),
    log: json<ReadonlyArray<Pick<Report.Call, "fault" | "accessKeyId" | "request">>>(
      request("GET", "/log")
    ),
    publicKey: request("GET", "/public-key"),
    /** The requests to the stub server. */
    stubRequests: json<StubRequests>(
      Effect.promise(() => fetch(`${stubServer}/requests`).then((response) => response.text()))
    )
  }
}

/** Counts of the stub server: `received` requests by path, and requests `aborted` by the client. */
export interface StubRequests {
  readonly received: Readonly<Record<string, number>>
  readonly aborted: number
}
