/** The command and its subcommands. */
import * as Command from "@effect/cli/Command"
import * as HelpDoc from "@effect/cli/HelpDoc"
import * as Effect from "effect/Effect"
import manifest from "../../package.json" with { type: "json" }
import { doctor } from "./doctor.js"
import { exitCodes } from "./internal/exitCodes.js"
import { Signals } from "./internal/signals.js"
import { meter } from "./meter.js"
import { register } from "./register.js"
import { resolve } from "./resolve.js"
import { sandbox } from "./sandbox.js"
import { submit } from "./submit.js"

/** Until a signal comes, which is how it ends. */
const endless = Command.transformHandler(sandbox, (run) =>
  Effect.zipRight(
    Effect.flatMap(Signals, ({ expect }) => expect),
    run
  )
)

const root = Command.make(manifest.name).pipe(
  Command.withDescription("Reports usage to AWS Marketplace, and tests that without AWS."),
  Command.withSubcommands([submit, meter, resolve, register, endless, doctor])
)

const footer = HelpDoc.blocks([
  HelpDoc.h1("EXIT CODES"),
  ...exitCodes.map(([code, meaning]) => HelpDoc.p(`${code}: ${meaning}`))
])

export const app = Command.run(root, { name: manifest.name, version: manifest.version, footer })
