/** `resolve`: who a buyer is who has just signed up. */
import * as Args from "@effect/cli/Args"
import * as Command from "@effect/cli/Command"
import * as Options from "@effect/cli/Options"
import * as Prompt from "@effect/cli/Prompt"
import * as Console from "effect/Console"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import * as MeteringClient from "../../MeteringClient.js"
import { readText } from "../input/inputFile.js"
import { cannotRun } from "../internal/cliError.js"
import * as clientOptions from "../internal/clientOptions.js"
import { callWithRetries } from "../internal/toCliError.js"
import { formatFields, formatJson } from "../output/format.js"

const file = Args.text({ name: "file" }).pipe(
  Args.optional,
  Args.withDescription(
    "A file that holds the registration token, or - for standard input. Left out, it is asked for, and not shown. (A token among the arguments would stay in the shell's history.)"
  )
)

const asJson = Options.boolean("json").pipe(Options.withDescription("Print one JSON object."))

export const resolve = Command.make(
  "resolve",
  { file, ...clientOptions.options, json: asJson },
  (options) =>
    Effect.gen(function* () {
      const registrationToken = yield* readToken(options.file)
      const buyer = yield* callWithRetries(
        MeteringClient.resolveCustomer({ registrationToken }),
        clientOptions.layer(options)
      )
      yield* Console.log(
        options.json
          ? formatJson(buyer)
          : formatFields([
              ["AWS account", buyer.customerAWSAccountId],
              ["customer identifier", buyer.customerIdentifier],
              ["product code", buyer.productCode],
              ["licence", buyer.licenseArn]
            ])
      )
    })
).pipe(
  Command.withDescription(
    "Learns from a registration token who the buyer is (ResolveCustomer). The token is the x-amzn-marketplace-token that AWS Marketplace posts to the sign-up page."
  )
)

const readToken = (file: Option.Option<string>) =>
  Effect.gen(function* () {
    const isPrompted = Option.isNone(file) && process.stdin.isTTY && process.stdout.isTTY
    const text = yield* isPrompted
      ? promptForToken
      : readText(
          Option.getOrElse(file, () => "-"),
          "The file with the token"
        )
    const token = text.trim()
    return token === ""
      ? yield* cannotRun("There is no registration token. Give a file with it, or pipe it in.")
      : Redacted.make(token)
  })

const promptForToken = Prompt.hidden({ message: "Registration token:" }).pipe(
  Effect.map(Redacted.value),
  // the prompt has left the line unfinished
  Effect.catchTag("QuitException", () => Effect.as(Console.error(""), ""))
)
