/** The command and its subcommands. */
import * as Command from "@effect/cli/Command"
import * as Console from "effect/Console"
import * as Effect from "effect/Effect"
import manifest from "../../package.json" with { type: "json" }
import { doctor } from "./commands/doctor.js"
import { ledger } from "./commands/ledger.js"
import { meter } from "./commands/meter.js"
import { register } from "./commands/register.js"
import { resolve } from "./commands/resolve.js"
import { sandbox } from "./commands/sandbox.js"
import { submit } from "./commands/submit.js"
import { cannotRun } from "./internal/cliError.js"
import { commandInfoOf } from "./internal/commandInfo.js"
import * as commandLine from "./internal/commandLine.js"
import { completions } from "./internal/completions.js"
import * as help from "./internal/help.js"
import { supportsColor } from "./output/terminal.js"

const root = Command.make(manifest.name).pipe(
  Command.withDescription(
    "Reports usage to AWS Marketplace, keeps a ledger of it, and tests both without AWS."
  ),
  Command.withSubcommands([submit, meter, resolve, register, ledger, sandbox, doctor])
)

const runWith = Command.run(root, { name: manifest.name, version: manifest.version })

/** The commands as data: for help, completion, and checks before a command runs. */
export const rootInfo = commandInfoOf(root)

/** Length of a line of help, in characters: the default and the maximum. */
const defaultColumns = 80
const maxColumns = 100

/** Runs the command with the words after its name. */
export const cli = (words: ReadonlyArray<string>) =>
  Effect.suspend(() => {
    const parsed = commandLine.parse(rootInfo, words)
    switch (parsed._tag) {
      case "Help": {
        const { columns = defaultColumns } = process.stdout
        const style = {
          width: Math.min(columns, maxColumns),
          isStyled: supportsColor(process.stdout, process.env)
        }
        return Console.log(help.render(parsed.command, style))
      }
      case "Version":
        return Console.log(manifest.version)
      case "Completions":
        return Console.log(completions[parsed.shell](rootInfo))
      case "UsageError":
        return cannotRun(parsed.message)
      case "Run":
        // @effect/cli skips the first two words, the runtime and the script
        return runWith(["node", manifest.name, ...parsed.args])
    }
  })
