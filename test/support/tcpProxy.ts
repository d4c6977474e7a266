/** A proxy on a free port of loopback, which can cut connections, delay them and change what passes. */
import * as Net from "node:net"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"

/** Returns the bytes to pass on, or undefined for none. */
export type Pass = (bytes: Buffer, cut: () => void) => Buffer | undefined

export interface TcpProxy {
  readonly port: number
  toServer: Pass
  toClient: Pass
}

const passAll: Pass = (bytes) => bytes

export const makeTcpProxy = (target: number): Effect.Effect<TcpProxy, never, Scope.Scope> =>
  Effect.acquireRelease(
    Effect.async<{
      readonly server: Net.Server
      readonly proxy: TcpProxy
      sockets: Set<Net.Socket>
    }>((resume) => {
      const sockets = new Set<Net.Socket>()
      const server = Net.createServer((client) => {
        const upstream = Net.connect(target, "127.0.0.1")
        const cut = () => {
          client.destroy()
          upstream.destroy()
        }
        for (const socket of [client, upstream]) {
          sockets.add(socket)
          socket.on("error", cut)
          socket.on("close", () => {
            sockets.delete(socket)
            cut()
          })
        }
        client.on("data", (bytes) => {
          const passed = proxy.toServer(bytes, cut)
          if (passed !== undefined) upstream.write(passed)
        })
        upstream.on("data", (bytes) => {
          const passed = proxy.toClient(bytes, cut)
          if (passed !== undefined) client.write(passed)
        })
      })
      const proxy: TcpProxy = { port: 0, toServer: passAll, toClient: passAll }
      server.listen(0, "127.0.0.1", () => {
        Object.assign(proxy, { port: (server.address() as Net.AddressInfo).port })
        resume(Effect.succeed({ server, proxy, sockets }))
      })
    }),
    ({ server, sockets }) =>
      Effect.async<void>((resume) => {
        server.close(() => resume(Effect.void))
        for (const socket of sockets) socket.destroy()
      })
  ).pipe(Effect.map(({ proxy }) => proxy))
