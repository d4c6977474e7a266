/** The sandbox's control, by fetch alone: what runs the suite need not be able to run a sandbox. */
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import type { Fault, Marketplace, Report } from "effect-marketplace-metering/sandbox"

/** What can be asked of the sandbox behind this URL, and of the stage beside it. */
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
  // each is what the sandbox's own documentation says of it
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
    /** What became of the requests to the stage. */
    stubRequests: json<StubRequests>(
      Effect.promise(() => fetch(`${stubServer}/requests`).then((response) => response.text()))
    )
  }
}

/** How many requests the stage has had, by their paths, and how many senders of them hung up. */
export interface StubRequests {
  readonly received: Readonly<Record<string, number>>
  readonly aborted: number
}
