import { execFile } from "node:child_process"
import { existsSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { inspect, promisify } from "node:util"
import { assert, describe, it } from "@effect/vitest"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import type * as Layer from "effect/Layer"
import * as Logger from "effect/Logger"
import * as Redacted from "effect/Redacted"
import * as TestClock from "effect/TestClock"
import { AwsCredentials } from "effect-marketplace-metering"
import {
  type DefaultChainOptions,
  layerDefaultChain,
  layerDefaultChainWith
} from "effect-marketplace-metering/node"
import { build } from "esbuild"
import { notInstalled } from "../../src/internal/optionalPackage.js"
import {
  environment,
  noResponse,
  server,
  sharedFiles,
  temporaryDirectory
} from "./awsEnvironment.js"

const secret = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"
const token = "IQoJb3JpZ2luX2VjEXAMPLETOKEN//////////wEaCXVzLWVhc3QtMSJHMEUCIQ=="

const using = <A, E>(
  layer: Layer.Layer<AwsCredentials.AwsCredentials>,
  f: (service: AwsCredentials.Service) => Effect.Effect<A, E>
) => Effect.provide(Effect.flatMap(AwsCredentials.AwsCredentials, f), layer)

/** The credentials in the open. */
const unredacted = ({
  accessKeyId,
  expiration,
  secretAccessKey,
  sessionToken
}: AwsCredentials.Credentials) => ({
  accessKeyId,
  secretAccessKey: Redacted.value(secretAccessKey),
  sessionToken: sessionToken && Redacted.value(sessionToken),
  expiration: expiration && new Date(expiration.epochMillis).toISOString()
})

const get = (options?: DefaultChainOptions) =>
  using(options === undefined ? layerDefaultChain : layerDefaultChainWith(options), ({ get }) =>
    Effect.map(get, unredacted)
  )

const profileSection = (name: string, id: string) =>
  `[${name}]\naws_access_key_id = ${id}\naws_secret_access_key = ${secret}\n`

const credentialProcessProfile = (file: string) => `[default]\ncredential_process = cat ${file}\n`

/** Credentials of a container, an instance or STS, valid until the year 2126. */
const expiration = "2126-11-24T10:15:00.000Z"

const metadataResponse = (id: string) =>
  JSON.stringify({
    AccessKeyId: id,
    SecretAccessKey: secret,
    Token: token,
    Expiration: expiration,
    Code: "Success"
  })

/** The AssumeRole response of STS. */
const assumeRoleResponse = (id: string) =>
  `<AssumeRoleResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><AssumeRoleResult><Credentials><AccessKeyId>${id}</AccessKeyId><SecretAccessKey>${secret}</SecretAccessKey><SessionToken>${token}</SessionToken><Expiration>${expiration}</Expiration></Credentials></AssumeRoleResult></AssumeRoleResponse>`

describe("layerDefaultChain", () => {
  it.scoped("finds the environment", () =>
    Effect.gen(function* () {
      yield* environment({
        AWS_ACCESS_KEY_ID: "AKENV",
        AWS_SECRET_ACCESS_KEY: secret,
        AWS_SESSION_TOKEN: token,
        AWS_CREDENTIAL_EXPIRATION: expiration
      })
      assert.deepStrictEqual(yield* get(), {
        accessKeyId: "AKENV",
        secretAccessKey: secret,
        sessionToken: token,
        expiration
      })
    })
  )

  it.scoped("finds the shared credentials file, by AWS_PROFILE and by option", () =>
    Effect.gen(function* () {
      const files = yield* sharedFiles({
        credentials: profileSection("default", "AKDEFAULT") + profileSection("seller", "AKSELLER")
      })
      yield* environment(files)
      const key = Effect.map(({ accessKeyId }: { readonly accessKeyId: string }) => accessKeyId)
      assert.strictEqual(yield* key(get()), "AKDEFAULT")
      assert.strictEqual(yield* key(get({ profile: "seller" })), "AKSELLER")
      process.env.AWS_PROFILE = "seller"
      assert.strictEqual(yield* key(get()), "AKSELLER")
      assert.strictEqual(yield* key(get({ profile: "default" })), "AKDEFAULT")
      delete process.env.AWS_SHARED_CREDENTIALS_FILE
      const credentialsFile = files.AWS_SHARED_CREDENTIALS_FILE
      assert.strictEqual(yield* key(get({ credentialsFile })), "AKSELLER")
    })
  )

  it.scoped("reads the files again when it is asked for others", () =>
    Effect.gen(function* () {
      const files = yield* sharedFiles({ credentials: profileSection("default", "AKOLD") })
      yield* environment(files)
      yield* using(layerDefaultChain, ({ get, refresh }) =>
        Effect.gen(function* () {
          const old = yield* get
          writeFileSync(files.AWS_SHARED_CREDENTIALS_FILE, profileSection("default", "AKNEW"))
          assert.strictEqual(yield* get, old)
          assert.strictEqual((yield* refresh(old)).accessKeyId, "AKNEW")
        })
      )
    })
  )

  it.scoped("runs a credential_process of the config file", () =>
    Effect.gen(function* () {
      const path = join(yield* temporaryDirectory, "out.json")
      writeFileSync(
        path,
        JSON.stringify({
          Version: 1,
          AccessKeyId: "AKPROCESS",
          SecretAccessKey: secret,
          SessionToken: token,
          Expiration: expiration
        })
      )
      const files = yield* sharedFiles({ config: credentialProcessProfile(path) })
      yield* environment(files)
      const expected = {
        accessKeyId: "AKPROCESS",
        secretAccessKey: secret,
        sessionToken: token,
        expiration
      }
      assert.deepStrictEqual(yield* get(), expected)
      delete process.env.AWS_CONFIG_FILE
      assert.deepStrictEqual(yield* get({ configFile: files.AWS_CONFIG_FILE }), expected)
    })
  )

  it.scoped("asks a container's endpoint", () =>
    Effect.gen(function* () {
      const url = yield* server(({ headers, url }) =>
        url === "/creds" && headers.authorization === "pass"
          ? metadataResponse("AKCONTAINER")
          : undefined
      )
      yield* environment({
        ...(yield* sharedFiles({})),
        AWS_CONTAINER_CREDENTIALS_FULL_URI: `${url}/creds`,
        AWS_CONTAINER_AUTHORIZATION_TOKEN: "pass"
      })
      assert.deepStrictEqual(yield* get(), {
        accessKeyId: "AKCONTAINER",
        secretAccessKey: secret,
        sessionToken: token,
        expiration
      })
    })
  )

  it.scoped("asks an instance's metadata", () =>
    Effect.gen(function* () {
      const role = "/latest/meta-data/iam/security-credentials/"
      const url = yield* server(({ url }) =>
        url === "/latest/api/token"
          ? "token"
          : url === role
            ? "seller-role"
            : url === `${role}seller-role`
              ? metadataResponse("AKINSTANCE")
              : undefined
      )
      yield* environment({
        ...(yield* sharedFiles({})),
        AWS_EC2_METADATA_DISABLED: "false",
        AWS_EC2_METADATA_SERVICE_ENDPOINT: url
      })
      assert.strictEqual((yield* get()).accessKeyId, "AKINSTANCE")
    })
  )

  it.scoped("assumes a role, at the STS of the given region", () =>
    Effect.gen(function* () {
      const scopes: Array<string | undefined> = []
      const url = yield* server(({ headers }) => {
        scopes.push(/Credential=AKBASE\/\d+\/([^/]+)\/sts\//.exec(headers.authorization ?? "")?.[1])
        return assumeRoleResponse("AKROLE")
      })
      const files = yield* sharedFiles({
        config:
          "[default]\nrole_arn = arn:aws:iam::111122223333:role/seller\nsource_profile = base\nregion = eu-west-1\n",
        credentials: profileSection("base", "AKBASE")
      })
      yield* environment({ ...files, AWS_ENDPOINT_URL_STS: url })
      assert.strictEqual((yield* get()).accessKeyId, "AKROLE")
      assert.strictEqual((yield* get({ region: "cn-north-1" })).accessKeyId, "AKROLE")
      assert.deepStrictEqual(scopes, ["eu-west-1", "cn-north-1"])
    })
  )

  it.scoped("asks for the code of an MFA device", () =>
    Effect.gen(function* () {
      const bodies: Array<string> = []
      const got = yield* Deferred.make<void>()
      const url = yield* server((request) => {
        request.on("data", (data) => bodies.push(String(data)))
        request.on("end", () => Deferred.unsafeDone(got, Effect.void))
        return assumeRoleResponse("AKMFA")
      })
      const files = yield* sharedFiles({
        config:
          "[default]\nrole_arn = arn:aws:iam::111122223333:role/seller\nsource_profile = base\nregion = eu-west-1\nmfa_serial = device-1\n",
        credentials: profileSection("base", "AKBASE")
      })
      yield* environment({ ...files, AWS_ENDPOINT_URL_STS: url })
      const asked: Array<string> = []
      const mfaCode = async (serial: string) => {
        asked.push(serial)
        return "123456"
      }
      assert.strictEqual((yield* get({ mfaCode })).accessKeyId, "AKMFA")
      yield* Deferred.await(got)
      assert.deepStrictEqual(asked, ["device-1"])
      assert.include(bodies.join(""), "TokenCode=123456")
    })
  )

  it.scoped("looks when it is asked, keeps what it finds, and renews it in the background", () =>
    Effect.gen(function* () {
      const renewed = yield* Deferred.make<void>()
      let calls = 0
      const url = yield* server(() => {
        calls += 1
        if (calls === 2) Deferred.unsafeDone(renewed, Effect.void)
        return metadataResponse(`AK${calls}`)
      })
      yield* environment({
        ...(yield* sharedFiles({})),
        AWS_CONTAINER_CREDENTIALS_FULL_URI: `${url}/`
      })
      yield* using(layerDefaultChain, ({ get }) =>
        Effect.gen(function* () {
          assert.strictEqual(calls, 0)
          assert.strictEqual((yield* get).accessKeyId, "AK1")
          assert.strictEqual((yield* get).accessKeyId, "AK1")
          yield* TestClock.setTime(Date.parse(expiration) - 4 * 60_000)
          assert.strictEqual((yield* get).accessKeyId, "AK1")
          yield* Deferred.await(renewed)
          assert.strictEqual(calls, 2)
        })
      )
    })
  )

  it.scoped("says what was tried, and what each source lacked", () =>
    Effect.gen(function* () {
      const files = yield* sharedFiles({ credentials: profileSection("seller", "AK") })
      yield* environment(files)
      const error = yield* Effect.flip(get())
      assert.deepStrictEqual(error.tried, [
        "environment",
        "shared config and credentials files",
        "credential_process",
        "web identity token",
        "container or instance metadata"
      ])
      assert.strictEqual(
        error.message,
        "No AWS credentials from environment, shared config and credentials files, credential_process, web identity token, container or instance metadata: Unable to find environment variable credentials; Could not resolve credentials using profile: [default] in configuration/credentials file(s); Profile default could not be found in shared credentials file; Web identity configuration not specified; EC2 Instance Metadata Service access disabled; Could not load credentials from any providers. Nothing was sent."
      )

      const profiled = yield* Effect.flip(get({ profile: "unknown" }))
      assert.notInclude(profiled.tried, "environment")
      assert.include(profiled.reason, "profile: [unknown]")
    })
  )

  it.scoped("says what stopped it, and where", () =>
    Effect.gen(function* () {
      const files = yield* sharedFiles({
        config:
          "[default]\nrole_arn = arn:aws:iam::111122223333:role/seller\nsource_profile = base\nmfa_serial = x\n",
        credentials: profileSection("base", "AKBASE")
      })
      yield* environment(files)
      const error = yield* Effect.flip(get())
      assert.deepStrictEqual(error.tried, ["environment", "shared config and credentials files"])
      assert.match(error.reason, /requires multi-factor authentication/)
    })
  )

  it.scoped("passes the SDK's warnings to Effect's logger", () => {
    const logged: Array<string> = []
    const log = Logger.make(({ logLevel, message }) => {
      logged.push(`${logLevel.label} ${message}`)
    })
    return Effect.gen(function* () {
      const url = yield* server(() => metadataResponse("AKCONTAINER"))
      yield* environment({
        ...(yield* sharedFiles({})),
        AWS_CONTAINER_CREDENTIALS_FULL_URI: url,
        AWS_CONTAINER_AUTHORIZATION_TOKEN: "pass",
        AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE: "/dev/null"
      })
      assert.strictEqual((yield* get()).accessKeyId, "AKCONTAINER")
      assert.deepStrictEqual(logged.splice(0), [
        "WARN @aws-sdk/credential-provider-http: you have set both awsContainerAuthorizationToken and awsContainerAuthorizationTokenFile",
        "WARN awsContainerAuthorizationTokenFile will take precedence"
      ])

      yield* environment({
        ...(yield* sharedFiles({ credentials: profileSection("seller", "AKSELLER") })),
        AWS_PROFILE: "seller",
        AWS_ACCESS_KEY_ID: "AKENV",
        AWS_SECRET_ACCESS_KEY: secret
      })
      assert.strictEqual((yield* get()).accessKeyId, "AKSELLER")
      assert.match(logged.join(), /^WARN .*Both AWS_PROFILE and the pair AWS_ACCESS_KEY_ID/)
    }).pipe(Effect.provide(Logger.replace(Logger.defaultLogger, log)))
  })

  it.scoped("gives up a container's endpoint that stays silent", () =>
    Effect.gen(function* () {
      const asked = yield* Deferred.make<void>()
      const url = yield* server(() => {
        Deferred.unsafeDone(asked, Effect.void)
        return noResponse
      })
      yield* environment({
        ...(yield* sharedFiles({})),
        AWS_CONTAINER_CREDENTIALS_FULL_URI: `${url}/creds`
      })
      const fiber = yield* Effect.fork(Effect.flip(get({ timeout: "200 millis", maxRetries: 0 })))
      yield* Deferred.await(asked)
      yield* TestClock.adjust("200 millis")
      const error = yield* Fiber.join(fiber)
      assert.strictEqual(
        error.reason,
        "no response from the container credentials endpoint within 200ms"
      )
      assert.strictEqual(error.tried.at(-1), "container or instance metadata")
    })
  )

  it.scoped("does not take a slow STS for a container's silence", () =>
    Effect.gen(function* () {
      const asked = yield* Deferred.make<void>()
      const answer = yield* Deferred.make<string>()
      const container = yield* server(() => metadataResponse("AKCONTAINER"))
      const sts = yield* server(() => {
        Deferred.unsafeDone(asked, Effect.void)
        return Effect.runPromise(Deferred.await(answer))
      })
      yield* environment({
        ...(yield* sharedFiles({
          config:
            "[default]\nrole_arn = arn:aws:iam::111122223333:role/seller\ncredential_source = EcsContainer\nregion = eu-west-1\n"
        })),
        AWS_CONTAINER_CREDENTIALS_FULL_URI: `${container}/creds`,
        AWS_ENDPOINT_URL_STS: sts
      })
      const fiber = yield* Effect.fork(get({ timeout: "200 millis", maxRetries: 0 }))
      yield* Deferred.await(asked)
      yield* TestClock.adjust("59 seconds")
      yield* Deferred.succeed(answer, assumeRoleResponse("AKROLE"))
      assert.strictEqual((yield* Fiber.join(fiber)).accessKeyId, "AKROLE")
    })
  )

  it.scoped("says that the metadata service gave nothing", () =>
    Effect.gen(function* () {
      const url = yield* server(() => undefined)
      const files = yield* sharedFiles({})
      yield* environment({
        ...files,
        AWS_EC2_METADATA_DISABLED: "false",
        AWS_EC2_METADATA_SERVICE_ENDPOINT: url
      })
      const instance = yield* Effect.flip(get({ maxRetries: 0 }))
      assert.match(
        instance.reason,
        /not specified; no credentials from the EC2 instance metadata service; Could not load/
      )
      yield* environment({ ...files, AWS_CONTAINER_CREDENTIALS_FULL_URI: url })
      const container = yield* Effect.flip(get({ maxRetries: 0 }))
      assert.match(container.reason, /no credentials from the container credentials endpoint/)
    })
  )

  it.scoped("shows no secret of a source that fails", () =>
    Effect.gen(function* () {
      const path = join(yield* temporaryDirectory, "out.json")
      const half = `{"AccessKeyId":"AKID","SecretAccessKey":"${secret}","Token":"${token}"`
      writeFileSync(path, half)
      const url = yield* server(() => half)
      const bare = yield* server(() => secret)
      const processes = [
        `cat ${path}`,
        `sh -c "cat ${path}; exit 1"`,
        `sh -c "cat ${path} >&2; exit 1"`,
        `no-such-command --secret ${secret} --token ${token}`
      ]
      const machines: ReadonlyArray<Record<string, string>> = [
        ...(yield* Effect.forEach(processes, (command) =>
          sharedFiles({ config: `[default]\ncredential_process = ${command}\n` })
        )),
        ...[url, bare].flatMap((uri) => [
          { AWS_CONTAINER_CREDENTIALS_FULL_URI: `${uri}/${secret}?x=${token}` },
          { AWS_CONTAINER_CREDENTIALS_FULL_URI: `http://example.com/${secret}` },
          { AWS_EC2_METADATA_DISABLED: "false", AWS_EC2_METADATA_SERVICE_ENDPOINT: uri }
        ]),
        { AWS_CONTAINER_CREDENTIALS_FULL_URI: `${secret} is no URL` },
        { AWS_ACCESS_KEY_ID: "AKID", AWS_SECRET_ACCESS_KEY: `${secret}\u0001` },
        {
          AWS_ACCESS_KEY_ID: "AKID",
          AWS_SECRET_ACCESS_KEY: secret,
          AWS_SESSION_TOKEN: `${token}\u0001`
        },
        {
          AWS_ACCESS_KEY_ID: "AKID",
          AWS_SECRET_ACCESS_KEY: secret,
          AWS_CREDENTIAL_EXPIRATION: "never"
        }
      ]
      const nothing = yield* sharedFiles({})
      for (const variables of machines) {
        yield* Effect.scoped(
          Effect.gen(function* () {
            yield* environment({ ...nothing, ...variables })
            const error = yield* Effect.flip(get({ maxRetries: 0, timeout: "200 millis" }))
            assert.strictEqual(error._tag, "CredentialsError")
            const text = `${inspect(error, { depth: null, showHidden: true })} ${JSON.stringify(error)} ${error}`
            assert.include(text, "No AWS credentials from")
            for (const hidden of [secret, token]) {
              for (let i = 0; i + 8 <= hidden.length; i += 4) {
                assert.notInclude(text, hidden.slice(i, i + 8))
              }
            }
          })
        )
      }
    })
  )
})

/** Bundles a program without these packages, runs it in an empty directory, and returns its output. */
const runBundled = (
  external: Array<string>,
  program: string,
  variables: Record<string, string> = {},
  // the SDK's part that is bundled has some CommonJS in it
  banner = `import { createRequire } from "node:module"; const require = createRequire(import.meta.url)`
) =>
  Effect.gen(function* () {
    const path = yield* temporaryDirectory
    assert.isFalse(existsSync(join(path, "../node_modules")))
    yield* Effect.promise(() =>
      build({
        stdin: {
          contents: `
            import * as Effect from "effect/Effect"
            import * as Layer from "effect/Layer"
            import { AwsCredentials } from "./src/AwsCredentials.ts"
            import { layer, layerDefaultChain, layerSharedConfig } from "./src/node/index.ts"
            import { MeteringSandbox, SandboxServer } from "./src/sandbox/index.ts"
            const print = async (effect) => console.log(String(await Effect.runPromise(Effect.merge(effect))))
            ${program}`,
          resolveDir: process.cwd(),
          loader: "js"
        },
        outfile: join(path, "main.mjs"),
        banner: { js: banner },
        bundle: true,
        format: "esm",
        platform: "node",
        external,
        logLevel: "silent"
      })
    )
    const { stderr, stdout } = yield* Effect.promise(() =>
      promisify(execFile)(process.execPath, ["main.mjs"], { cwd: path, env: variables })
    )
    assert.strictEqual(stderr, "")
    return stdout.trim().split("\n")
  })

const missing = (name: string) => notInstalled([name])

describe("without optional packages", () => {
  it.scoped(
    "says which of the SDK to install, and only when it is needed",
    () =>
      Effect.gen(function* () {
        const lines = yield* runBundled(
          ["@aws-sdk/*", "@smithy/*", "@effect/platform-node/*"],
          `await print(Effect.as(Layer.build(layerDefaultChain), "the layer alone needs nothing").pipe(Effect.scoped))
           await print(Effect.flatMap(AwsCredentials, ({ get }) => get).pipe(Effect.provide(layerDefaultChain)))
           await print(Layer.build(layerSharedConfig).pipe(Effect.scoped))`
        )
        assert.deepStrictEqual(lines, [
          "the layer alone needs nothing",
          `CredentialsError: No AWS credentials from the default provider chain: ${missing("@aws-sdk/credential-provider-node")}. Nothing was sent.`,
          `MeteringConfigError: No shared config: ${missing("@smithy/core")}`
        ])
      }),
    30_000
  )

  it.scoped(
    "says which HTTP client to install, and only to those who want it",
    () =>
      Effect.gen(function* () {
        const lines = yield* runBundled(
          ["@aws-sdk/*", "@effect/platform-node/*"],
          `await print(Effect.as(Layer.build(layerSharedConfig), "the configuration needs none").pipe(Effect.scoped))
           await print(Layer.build(layer).pipe(Effect.scoped))`,
          { AWS_REGION: "us-east-1" }
        )
        assert.deepStrictEqual(lines, [
          "the configuration needs none",
          `MeteringConfigError: ${notInstalled(["@aws-sdk/credential-provider-node", "@effect/platform-node"])}`
        ])
      }),
    30_000
  )

  it.scoped(
    "names the package that the sandbox's server needs, as an error",
    () =>
      Effect.gen(function* () {
        const lines = yield* runBundled(
          ["@aws-sdk/*", "@effect/platform-node/*"],
          `const served = Layer.provide(SandboxServer.layerNode(), MeteringSandbox.layer())
           await print(Layer.build(served).pipe(Effect.scoped, Effect.mapError(({ _tag, cause }) => _tag + ": " + cause.message)))`
        )
        assert.deepStrictEqual(lines, [
          `ServeError: The sandbox's server cannot be started: ${missing("@effect/platform-node")}`
        ])
      }),
    30_000
  )

  it.scoped(
    "says why a package cannot be loaded, and what a bundle has to define for it",
    () =>
      Effect.gen(function* () {
        const lines = yield* runBundled(
          ["@aws-sdk/*", "@smithy/*"],
          "await print(Layer.build(layer).pipe(Effect.scoped))",
          {},
          ""
        )
        assert.match(lines.join(), /^MeteringConfigError: the packages @aws-sdk\/.*, @smithy\/core/)
        assert.match(
          lines.join(),
          /platform-node cannot be loaded: Dynamic require of "[\w:/]+".* is not supported\..*createRequire/
        )
      }),
    30_000
  )
})
