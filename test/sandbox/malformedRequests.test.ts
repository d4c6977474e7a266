/** Malformed requests get an error in the service's format, or a closed connection. */
import * as net from "node:net"
import { setFlagsFromString } from "node:v8"
import { runInNewContext } from "node:vm"
import { gzipSync } from "node:zlib"
import { assert, describe, it, layer } from "@effect/vitest"
import { Clock, Duration, Effect, Layer } from "effect"
import { MeteringSandbox, SandboxServer } from "../../src/sandbox/index.js"
import { coral, post, type RawRequest, yieldToEventLoop } from "./http.js"

const served = (options?: SandboxServer.NodeOptions) =>
  Layer.provideMerge(SandboxServer.layerNode(options), MeteringSandbox.layer())

/** Sends bytes and returns the response, until either side closes the connection. */
const sendRaw = (...parts: ReadonlyArray<string | Uint8Array | ((socket: net.Socket) => void)>) =>
  Effect.flatMap(SandboxServer.SandboxServer, ({ url }) =>
    Effect.async<string>((resume) => {
      const chunks: Array<Buffer> = []
      const socket = net.connect(Number(new URL(url).port), "127.0.0.1", () => {
        for (const part of parts) typeof part === "function" ? part(socket) : socket.write(part)
      })
      socket.on("data", (chunk) => chunks.push(chunk))
      // a reset connection counts as closed
      socket.on("error", () => {})
      socket.on("close", () => resume(Effect.succeed(Buffer.concat(chunks).toString())))
      return Effect.sync(() => socket.destroy())
    })
  )

const target = "x-amz-target: AWSMPMeteringService.MeterUsage\r\n"
const head = (...lines: ReadonlyArray<string>) =>
  ["POST / HTTP/1.1", "host: 127.0.0.1", ...lines, "connection: close", target].join("\r\n") +
  "\r\n"

/** The statuses of the responses in a text. */
const statusesOf = (text: string) =>
  Array.from(text.matchAll(/^HTTP\/1\.1 (\d+) /gm), ([, status]) => Number(status))

/** Checks for no response at all, or errors in the service's format. */
const assertServiceErrors = (text: string) => {
  if (text === "") return
  const heads = text.split("HTTP/1.1 ").slice(1)
  assert.isAbove(heads.length, 0, text)
  for (const head of heads) {
    assert.match(head, /x-effect-marketplace-metering-sandbox: true/i, text)
    assert.match(head, /"__type":"com\.amazon/, text)
  }
}

/** Signs at the current time of the test's or the machine's clock. */
const send = (request: RawRequest) =>
  Effect.flatMap(Clock.currentTimeMillis, (now) => post({ now, ...request }))

const assertServing = Effect.gen(function* () {
  const { status } = yield* send({ body: '{"UsageRecords":[],"ProductCode":"sandbox-analytics"}' })
  assert.strictEqual(status, 200)
})

const depth = 100_000
const nested = `${"[".repeat(depth)}${"]".repeat(depth)}`
const nestedObjects = `${'{"a":'.repeat(depth)}1${"}".repeat(depth)}`

const utf16 = (text: string) => new Uint8Array(Buffer.from(text, "utf16le"))

layer(served())("signed malformed requests", (it) => {
  const rejected: ReadonlyArray<readonly [what: string, RawRequest, status: number, type: string]> =
    [
      ["unclosed deep lists", { body: "[".repeat(depth) }, 400, "SerializationException"],
      ["a deep list", { body: nested }, 400, "SerializationException"],
      ["unclosed deep objects", { body: '{"a":'.repeat(depth) }, 400, "SerializationException"],
      ["deep records", { body: `{"UsageRecords":${nested}}` }, 400, "SerializationException"],
      [
        "a deep record",
        { body: `{"UsageRecords":[${nestedObjects}]}` },
        400,
        "ValidationException"
      ],
      ["a deep code", { body: `{"ProductCode":${nestedObjects}}` }, 400, "SerializationException"],
      ["UTF-16", { body: utf16('{"UsageRecords":[]}') }, 400, "SerializationException"],
      [
        "gzip",
        {
          body: new Uint8Array(gzipSync('{"UsageRecords":[]}')),
          headers: { "content-encoding": "gzip" }
        },
        400,
        "SerializationException"
      ],
      [
        "an overlong encoding",
        { body: new Uint8Array([0xc0, 0xaf]) },
        400,
        "SerializationException"
      ],
      [
        "a lone surrogate",
        { body: '{"ProductCode":"\\ud800","UsageRecords":[]}' },
        400,
        "InvalidProductCodeException"
      ],
      [
        "__proto__",
        { body: '{"__proto__":{"ProductCode":"sandbox-analytics"},"UsageRecords":[{}]}' },
        400,
        "ValidationException"
      ],
      ["__proto__ as operation", { operation: "__proto__" }, 400, "UnknownOperationException"],
      ["constructor as operation", { operation: "constructor" }, 400, "UnknownOperationException"],
      ["2 MB", { body: `{"a":"${"x".repeat(2_000_000)}"}` }, 413, "RequestEntityTooLargeException"],
      ["DELETE", { method: "DELETE" }, 404, "UnknownOperationException"],
      ["PATCH", { method: "PATCH" }, 404, "UnknownOperationException"],
      ["OPTIONS", { method: "OPTIONS", unsigned: true }, 404, "UnknownOperationException"]
    ]
  for (const [what, request, status, code] of rejected) {
    it.effect(`${what} is a ${code}`, () =>
      Effect.gen(function* () {
        const response = yield* post(request)
        assert.strictEqual(response.status, status)
        assert.strictEqual(response.type?.split("#")[1], code)
        assert.isBelow(response.text.length, 2000)
      })
    )
  }

  const numbers = ["1e400", "-1e400", "1e308", "-1e308", "0.1e-400", "8640000000001", "-0"]
  for (const number of numbers) {
    it.effect(`the number ${number} is not an internal error`, () =>
      Effect.gen(function* () {
        for (const member of ["Timestamp", "Quantity"]) {
          const record = { Timestamp: 0, Dimension: "events", CustomerIdentifier: "cust-acme" }
          const json = JSON.stringify({
            ProductCode: "sandbox-analytics",
            UsageRecords: [{ Quantity: 1, ...record, [member]: "NUMBER" }]
          })
          const response = yield* post({ body: json.replace('"NUMBER"', number) })
          assert.isBelow(response.status, 500, response.text)
          if (response.status !== 200) assert.match(response.type ?? "", /Exception$/)
        }
      })
    )
  }
})

layer(served())("raw bytes", (it) => {
  const cases: ReadonlyArray<readonly [what: string, bytes: string | Uint8Array, status?: number]> =
    [
      ["noise", new Uint8Array(1000).map((_, i) => (i * 7919) % 256), 400],
      ["a TLS hello", new Uint8Array([0x16, 3, 1, 2, 0, 1, 0, 1, 0xfc, 3, 3]), 400],
      ["HTTP/2's preface", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 400],
      ["HTTP/0.9", "GET /\r\n\r\n", 404],
      ["an unknown method", "METER / HTTP/1.1\r\nhost: x\r\n\r\n", 400],
      ["a header without a colon", "POST / HTTP/1.1\r\nhost\r\n\r\n", 400],
      ["a null in a header", head("x-a: \0"), 400],
      ["two content lengths", `${head("content-length: 2", "content-length: 3")}{}`, 400],
      [
        "both content length and chunks",
        `${head("content-length: 2", "transfer-encoding: chunked")}{}`,
        400
      ],
      ["an invalid length", head("content-length: x"), 400],
      ["a negative length", head("content-length: -1"), 400],
      ["a chunk of invalid size", `${head("transfer-encoding: chunked")}zz\r\n{}\r\n`, 400],
      ["another transfer encoding", `${head("transfer-encoding: gzip")}{}`, 400],
      ["headers of 100 kB", head(`x-a: ${"x".repeat(100_000)}`), 431],
      [
        "no host",
        `POST / HTTP/1.1\r\n${target}connection: close\r\ncontent-length: 2\r\n\r\n{}`,
        400
      ],
      ["HTTP/1.0", `POST / HTTP/1.0\r\n${target}content-length: 2\r\n\r\n{}`, 400],
      ["two targets", `${head(target.trim(), "content-length: 2")}{}`, 400],
      [
        "another address",
        "GET http://example.com/ HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n",
        404
      ],
      ["a proxy's CONNECT", "CONNECT example.com:443 HTTP/1.1\r\nhost: x\r\n\r\n"],
      [
        "a path of dots",
        "GET /../../_sandbox/billed HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n",
        404
      ],
      ["an unknown expectation", `${head("expect: miracles", "content-length: 2")}{}`, 400],
      ["an upgrade to WebSocket", `${head("upgrade: websocket", "content-length: 2")}{}`, 400]
    ]
  for (const [what, bytes, status] of cases) {
    it.effect(`${what} ${status === undefined ? "closes the connection" : `is a ${status}`}`, () =>
      Effect.gen(function* () {
        const text = yield* sendRaw(bytes)
        assertServiceErrors(text)
        assert.deepStrictEqual(statusesOf(text), status === undefined ? [] : [status], text)
        yield* assertServing
      })
    )
  }

  it.effect("garbage after a request affects only its own connection", () =>
    Effect.gen(function* () {
      const text = yield* sendRaw(`${head("content-length: 2")}{}`, "\0\0\0garbage\r\n\r\n")
      assertServiceErrors(text)
      assert.isAtMost(statusesOf(text).length, 2)
      yield* assertServing
    })
  )

  it.effect("the excess of a body is read as a malformed request", () =>
    Effect.gen(function* () {
      assertServiceErrors(
        yield* sendRaw(`${head("content-length: 1").replace("close", "keep-alive")}{}`)
      )
      yield* assertServing
    })
  )

  const disconnects: ReadonlyArray<readonly [when: string, sent: string]> = [
    ["at once", ""],
    ["in the request line", "POST / HT"],
    ["in the headers", "POST / HTTP/1.1\r\nhost: x\r\nx-"],
    ["in the middle of a body", `${head("content-length: 1000")}{`],
    ["in the middle of a chunk", `${head("transfer-encoding: chunked")}ff\r\n{`],
    ["before the response", `${head("content-length: 2")}{}`]
  ]
  for (const [when, sent] of disconnects) {
    it.effect(`serves others after a client disconnects ${when}`, () =>
      Effect.gen(function* () {
        for (const disconnect of [
          (socket: net.Socket) => void socket.destroy(),
          (socket: net.Socket) => void socket.resetAndDestroy(),
          (socket: net.Socket) => void socket.end()
        ]) {
          assertServiceErrors(yield* sendRaw(sent, disconnect))
        }
        yield* assertServing
      })
    )
  }
})

it.effect("ignores an upgrade to HTTP/2 and reads the body", () =>
  Effect.gen(function* () {
    const text = yield* sendRaw(
      `${head("content-length: 1", "upgrade: h2c").replace("close", "upgrade, close")}[`
    )
    assert.include(text, coral("SerializationException"))
  }).pipe(
    Effect.provide(
      Layer.provide(SandboxServer.layerNode({ anyCredentials: true }), MeteringSandbox.layer())
    )
  )
)

// real time, since sockets have no TestClock; other tests keep the default, for slow machines
const timeoutMillis = 200

layer(served({ requestTimeout: timeoutMillis }), { excludeTestServices: true })(
  "slow clients",
  (it) => {
    const slow: ReadonlyArray<readonly [what: string, sent: string]> = [
      ["that send nothing", ""],
      ["in the request line", "POST / HT"],
      ["in the headers", "POST / HTTP/1.1\r\nhost: x\r\nx-a: 1\r\n"],
      ["in the body", `${head("content-length: 1000")}{`],
      ["in a chunk", `${head("transfer-encoding: chunked")}1\r\n{\r\n`]
    ]
    for (const [what, sent] of slow) {
      it.effect(`${what} time out`, () =>
        Effect.gen(function* () {
          const [took, text] = yield* Effect.timed(sendRaw(sent))
          assertServiceErrors(text)
          assert.isBelow(Duration.toMillis(took), 25 * timeoutMillis)
          assert.isAtLeast(Duration.toMillis(took), timeoutMillis - 50)
          if (sent !== "") assert.deepStrictEqual(statusesOf(text), [408])
        })
      )
    }

    it.effect("that send a byte now and then time out", () =>
      Effect.gen(function* () {
        const dripping = (socket: net.Socket) => {
          const timer = setInterval(() => socket.write("x"), 20)
          socket.on("close", () => clearInterval(timer))
        }
        const [took, text] = yield* Effect.timed(
          sendRaw(`${head("content-length: 1000")}`, dripping)
        )
        assertServiceErrors(text)
        assert.isBelow(Duration.toMillis(took), 25 * timeoutMillis)
      })
    )
  }
)

/** A connection that stays open until the scope closes. */
const connected = Effect.gen(function* () {
  const { url } = yield* SandboxServer.SandboxServer
  const socket = yield* Effect.acquireRelease(
    Effect.sync(() => net.connect(Number(new URL(url).port), "127.0.0.1")),
    (socket) => Effect.sync(() => socket.destroy())
  )
  yield* Effect.async<void, Error>((resume) => {
    socket.on("connect", () => resume(Effect.void))
    socket.on("error", (error) => resume(Effect.fail(error)))
  })
  return socket
})

/** Forces a garbage collection. */
const collect = () => {
  setFlagsFromString("--expose-gc")
  const gc: () => void = runInNewContext("gc")
  gc()
}

describe("under load", () => {
  it.effect(
    "responds to 1000 concurrent connections",
    () =>
      Effect.gen(function* () {
        const texts = yield* Effect.all(
          Array.from({ length: 1000 }, () => sendRaw(`${head("content-length: 2")}{}`)),
          { concurrency: "unbounded" }
        )
        for (const text of texts) assert.deepStrictEqual(statusesOf(text), [400], text)
        yield* assertServing
      }).pipe(Effect.provide(Layer.provide(SandboxServer.layerNode(), MeteringSandbox.layer()))),
    60_000
  )

  it.live("1000 silent connections do not block others", () =>
    Effect.gen(function* () {
      const silent = yield* Effect.all(
        Array.from({ length: 1000 }, () => connected),
        { concurrency: "unbounded" }
      )
      yield* assertServing
      // none has timed out yet
      assert.strictEqual(silent.filter((socket) => socket.readyState === "open").length, 1000)
    }).pipe(
      Effect.scoped,
      Effect.provide(Layer.provide(SandboxServer.layerNode(), MeteringSandbox.layer()))
    )
  )

  const disconnect = (socket: net.Socket) => void socket.destroy()
  const tooLong = Buffer.from(head("content-length: 1000000") + "x".repeat(1_000_000))

  /** Bytes of memory in use after a round of malformed requests, with an empty log. */
  const round = Effect.gen(function* () {
    const { reset } = (yield* MeteringSandbox.MeteringSandbox).control
    yield* Effect.forEach(
      Array.from({ length: 20 }, (_, i) => i),
      (i) =>
        Effect.all([
          sendRaw(`${head("content-length: 1000")}{`, disconnect),
          sendRaw(`${head("content-length: 2")}{}`, disconnect),
          sendRaw("\0garbage"),
          send({ body: `{"UsageRecords":[],"ProductCode":"${i}"}` }),
          ...(i % 4 === 0 ? [sendRaw(tooLong)] : [])
        ]),
      { concurrency: 20 }
    )
    yield* reset
    // buffers are released in the event loop, before the second collection
    collect()
    yield* yieldToEventLoop
    collect()
    const { external, heapUsed } = process.memoryUsage()
    return heapUsed + external
  })

  it.effect(
    "malformed requests leak no memory",
    () =>
      Effect.gen(function* () {
        // a leak grows with every round, other use returns to its minimum
        const least = Effect.map(Effect.all([round, round]), (all) => Math.min(...all))
        yield* round
        const before = yield* least
        const after = yield* least
        assert.isBelow(after - before, 1_000_000)
      }).pipe(
        Effect.provide(Layer.provideMerge(SandboxServer.layerNode(), MeteringSandbox.layer()))
      ),
    60_000
  )

  it.effect(
    "the log drops long requests beyond 16 MiB",
    () =>
      Effect.gen(function* () {
        const { log } = (yield* MeteringSandbox.MeteringSandbox).report
        const body = `{"UsageRecords":[],"ProductCode":"${"x".repeat(900_000)}"}`
        yield* Effect.repeatN(send({ body }), 24)
        yield* send({})
        const calls = yield* log
        assert.isBelow(JSON.stringify(calls).length, 17_000_000)
        assert.isAtLeast(calls.length, 16)
        assert.strictEqual(calls.at(-1)?.requestId, "sandbox-000000000026")
      }).pipe(
        Effect.provide(Layer.provideMerge(SandboxServer.layerNode(), MeteringSandbox.layer()))
      ),
    60_000
  )
})
