/** A machine with nothing on it but what a test puts there: environment, files, and servers on loopback. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { createServer, type IncomingMessage } from "node:http"
import type { AddressInfo } from "node:net"
import { tmpdir } from "node:os"
import { join } from "node:path"
import * as Effect from "effect/Effect"

/** Replaces every AWS variable and the home directory, and puts the old ones back. No metadata service is there. */
export const environment = (variables: Record<string, string>) =>
  Effect.acquireRelease(
    Effect.sync(() => {
      const before = { ...process.env }
      for (const name of Object.keys(before)) if (name.startsWith("AWS_")) delete process.env[name]
      Object.assign(
        process.env,
        { AWS_EC2_METADATA_DISABLED: "true", HOME: "/nonexistent" },
        variables
      )
      return before
    }),
    (before) =>
      Effect.sync(() => {
        for (const name of Object.keys(process.env)) delete process.env[name]
        Object.assign(process.env, before)
      })
  )

/** A directory of its own: the SDK remembers files by their path. */
export const temporaryDirectory = Effect.acquireRelease(
  Effect.sync(() => mkdtempSync(join(tmpdir(), "metering-"))),
  (path) => Effect.sync(() => rmSync(path, { recursive: true }))
)

/** Both shared files in a directory of their own, as variables. */
export const sharedFiles = (files: {
  readonly config?: string | undefined
  readonly credentials?: string | undefined
}) =>
  Effect.map(temporaryDirectory, (path) => {
    const variables = {
      AWS_CONFIG_FILE: join(path, "config"),
      AWS_SHARED_CREDENTIALS_FILE: join(path, "credentials")
    }
    if (files.config !== undefined) writeFileSync(variables.AWS_CONFIG_FILE, files.config)
    if (files.credentials !== undefined) {
      writeFileSync(variables.AWS_SHARED_CREDENTIALS_FILE, files.credentials)
    }
    return variables
  })

/** The request is accepted and never answered. */
export const noResponse = Symbol("silence")

/** A server on loopback. It returns 404 without a configured response. */
export const server = (
  respond: (request: IncomingMessage) => string | undefined | typeof noResponse | Promise<string>
) =>
  Effect.map(
    Effect.acquireRelease(
      Effect.async<{ readonly port: number; readonly close: () => void }>((resume) => {
        const http = createServer(async (request, response) => {
          const body = await respond(request)
          if (body === noResponse) return
          response.statusCode = body === undefined ? 404 : 200
          response.end(body ?? "")
        })
        http.listen(0, "127.0.0.1", () =>
          resume(
            Effect.succeed({
              port: (http.address() as AddressInfo).port,
              close: () => {
                http.closeAllConnections()
                http.close()
              }
            })
          )
        )
      }),
      ({ close }) => Effect.sync(close)
    ),
    ({ port }) => `http://127.0.0.1:${port}`
  )
