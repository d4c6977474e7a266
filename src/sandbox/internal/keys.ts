/** The key pair that a sandbox signs RegisterUsage's answers with. */
import * as Effect from "effect/Effect"
import type { Claims } from "./state.js"

export interface KeyPair {
  /** SPKI, PEM. */
  readonly publicKey: string
  readonly sign: (claims: Claims) => Effect.Effect<string>
}

/** Made when it is first needed, since a key takes longer to make than everything else together. */
export const make: Effect.Effect<Effect.Effect<KeyPair>> = Effect.cached(
  Effect.promise(async (): Promise<KeyPair> => {
    const jose = await import("jose")
    const pair = await jose.generateKeyPair("PS256", { extractable: true })
    return {
      publicKey: await jose.exportSPKI(pair.publicKey),
      sign: (claims) =>
        Effect.promise(() =>
          new jose.SignJWT({ ...claims })
            .setProtectedHeader({ alg: "PS256", typ: "JWT" })
            .sign(pair.privateKey)
        )
    }
  })
)
