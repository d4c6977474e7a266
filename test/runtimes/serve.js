// Starts what the suite runs against: the sandbox with its control API, and a stub server for other responses.
import { createServer } from "node:http"
import { Effect, Layer, ManagedRuntime, Redacted } from "effect"
import { MeteringSandbox, SandboxServer } from "effect-marketplace-metering/sandbox"

/** @type {import("effect-marketplace-metering/sandbox").Scenario.Options} */
const scenario = {
  products: [
    { code: "saas", dimensions: ["requests", "seats", "Anfragen/日本 ✓"] },
    { code: "container", dimensions: ["nodes"], publicKeyVersions: [{ version: 1 }] }
  ],
  customers: [
    {
      customerAWSAccountId: "111122223333",
      customerIdentifier: "cust-1",
      agreements: [
        {
          productCode: "saas",
          entitlements: [
            { dimension: "seats", value: { integerValue: 25 } },
            { dimension: "Anfragen/日本 ✓", value: { booleanValue: false } }
          ]
        },
        { productCode: "container" }
      ]
    },
    { customerAWSAccountId: "222233334444", agreements: [] }
  ],
  credentials: [
    { accessKeyId: "sandbox", secretAccessKey: Redacted.make("sandbox") },
    {
      accessKeyId: "session",
      secretAccessKey: Redacted.make("session-secret"),
      sessionToken: Redacted.make("session-token/+=0123456789")
    },
    {
      accessKeyId: "limited",
      secretAccessKey: Redacted.make("limited-secret"),
      allow: ["ResolveCustomer"]
    }
  ]
}

const listening = (server) =>
  new Promise((resolve, reject) => {
    server.on("error", reject)
    server.listen(0, "127.0.0.1", () => resolve(`http://127.0.0.1:${server.address().port}`))
  })

/** Responses of the stub server by path. */
const stubResponses = {
  "/redirect/": (_, response) => response.writeHead(307, { location: "/trap/" }).end(),
  "/trap/": (_, response) => response.end("{}"),
  "/page/": (_, response) =>
    response.writeHead(200, { "content-type": "text/html" }).end("<h1>Sign in to the Wi-Fi</h1>"),
  // echoes the request, as some proxies do
  "/echo/": (request, response, body) =>
    response.writeHead(403, { "content-type": "application/x-amz-json-1.1" }).end(
      JSON.stringify({
        __type: "com.example#AccessDeniedException",
        message: `${JSON.stringify(request.headers)} ${body}`
      })
    ),
  "/cut/": (_, response) => {
    response.writeHead(200, { "content-length": 1000 })
    response.write('{"Results":[', () => response.destroy())
  },
  "/hang/": () => {}
}

const makeStubServer = () => {
  const requests = { received: {}, aborted: 0 }
  return createServer((request, response) => {
    if (request.url === "/requests") return response.end(JSON.stringify(requests))
    const chunks = []
    request.on("data", (chunk) => chunks.push(chunk))
    request.on("end", () => {
      requests.received[request.url] = (requests.received[request.url] ?? 0) + 1
      response.on("close", () => {
        if (!response.writableEnded && request.url === "/hang/") requests.aborted++
      })
      const respond = stubResponses[request.url]
      if (respond === undefined) response.writeHead(404).end()
      else respond(request, response, Buffer.concat(chunks).toString())
    })
  })
}

/** Starts both servers; returns their URLs and how to stop them. */
export const serve = async () => {
  const runtime = ManagedRuntime.make(
    Layer.provide(SandboxServer.layerNode(), MeteringSandbox.layer(scenario))
  )
  const sandbox = await runtime.runPromise(
    Effect.map(SandboxServer.SandboxServer, ({ url }) => url)
  )
  const stubServer = makeStubServer()
  const stubUrl = await listening(stubServer)
  const closed = createServer()
  const unreachable = await listening(closed)
  await new Promise((resolve) => closed.close(resolve))
  const close = async () => {
    stubServer.closeAllConnections()
    await new Promise((resolve) => stubServer.close(resolve))
    await runtime.dispose()
  }
  return { endpoints: { sandbox, stubServer: stubUrl, unreachable }, close }
}
