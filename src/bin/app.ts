/** The command and its subcommands. */
import * as Command from "@effect/cli/Command"
import * as Console from "effect/Console"
import * as Effect from "effect/Effect"
import manifest from "../../package.json" with { type: "json" }
import { doctor } from "./doctor.js"
import { inOrder } from "./internal/arguments.js"
import * as commandLine from "./internal/commandLine.js"
import { completions } from "./internal/completions.js"
import { describe } from "./internal/describe.js"
import { cannotRun } from "./internal/failure.js"
import * as help from "./internal/help.js"
import { Signals } from "./internal/signals.js"
import { isColourful } from "./internal/terminal.js"
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

const runWith = Command.run(root, { name: manifest.name, version: manifest.version })

/** The commands as data: for help, for completion, and for checks before anything runs. */
export const info = describe(root)

const widest = 100

/** Runs the command by what follows its name on the command line. */
export const app = (words: ReadonlyArray<string>) =>
  Effect.suspend(() => {
    const asked = commandLine.read(info, words)
    switch (asked._tag) {
      case "Help": {
        const { columns = 80 } = process.stdout
        const style = {
          width: Math.min(columns, widest),
          isStyled: isColourful(process.stdout, process.env)
        }
        return Console.log(help.render(asked.command, asked.path, style))
      }
      case "Version":
        return Console.log(manifest.version)
      case "Completions":
        return Console.log(completions[asked.shell](info))
      case "Mistake":
        return cannotRun(asked.message)
      case "Run":
        // the library leaves out what the program itself was started by
        return runWith(["node", manifest.name, ...inOrder(words)])
    }
  })
