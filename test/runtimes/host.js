// What the suite is played against: the sandbox, with its control, and a stage for answers that no service gives.
import { createServer } from "node:http"
import { Effect, Layer, ManagedRuntime, Redacted } from "effect"
import { MeteringSandbox, SandboxServer } from "effect-marketplace-metering/sandbox"

/** @type {import("effect-marketplace-metering/sandbox").Scenario.Partial} */
const scenario = {
  products: [
    { code: "saas", dimensions: ["requests", "seats", "Anfragen/日本 ✓"] },
    { code: "container", dimensions: ["nodes"], publicKeyVersions: [{ version: 1 }] }
  ],
  customers: [
    {
      customerAWSAccountId: "111122223333",
      customerIdentifier: "cust-1",
      agreements: [{ productCode: "saas" }, { productCode: "container" }]
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

/** By path, what is answered there. */
const scenes = {
  "/redirect/": (_, response) => response.writeHead(307, { location: "/trap/" }).end(),
  "/trap/": (_, response) => response.end("{}"),
  "/page/": (_, response) =>
    response.writeHead(200, { "content-type": "text/html" }).end("<h1>Sign in to the Wi-Fi</h1>"),
  // whatever was sent comes back, as from a proxy that explains itself
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

const stageOf = () => {
  const seen = { arrived: {}, abandoned: 0 }
  return createServer((request, response) => {
    if (request.url === "/seen") return response.end(JSON.stringify(seen))
    const chunks = []
    request.on("data", (chunk) => chunks.push(chunk))
    request.on("end", () => {
      seen.arrived[request.url] = (seen.arrived[request.url] ?? 0) + 1
      response.on("close", () => {
        if (!response.writableEnded && request.url === "/hang/") seen.abandoned++
      })
      const scene = scenes[request.url]
      if (scene === undefined) response.writeHead(404).end()
      else scene(request, response, Buffer.concat(chunks).toString())
    })
  })
}

/** Opens everything, and says where it is and how it is closed. */
export const open = async () => {
  const runtime = ManagedRuntime.make(
    Layer.provide(SandboxServer.layerNode(), MeteringSandbox.layer(scenario))
  )
  const sandbox = await runtime.runPromise(
    Effect.map(SandboxServer.SandboxServer, ({ url }) => url)
  )
  const stageServer = stageOf()
  const stage = await listening(stageServer)
  const closed = createServer()
  const nobody = await listening(closed)
  await new Promise((resolve) => closed.close(resolve))
  const close = async () => {
    stageServer.closeAllConnections()
    await new Promise((resolve) => stageServer.close(resolve))
    await runtime.dispose()
  }
  return { places: { sandbox, stage, nobody }, close }
}
