/** `resolve`: identifies a buyer by a registration token. */
import * as Args from "@effect/cli/Args"
import * as Command from "@effect/cli/Command"
import * as Prompt from "@effect/cli/Prompt"
import * as Console from "effect/Console"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import * as MeteringClient from "../../MeteringClient.js"
import { readText } from "../input/readInput.js"
import { callWithRetries } from "../internal/callWithRetries.js"
import { cannotRun } from "../internal/cliError.js"
import * as clientOptions from "../internal/clientOptions.js"
import { jsonOption } from "../internal/options.js"
import { formatFields, formatJson } from "../output/format.js"

const file = Args.text({ name: "file" }).pipe(
  Args.optional,
  Args.withDescription(
    "A file with the registration token, or - for standard input. Defaults to a hidden prompt on a terminal. (A token among the arguments would stay in the shell's history.)"
  )
)

export const resolve = Command.make(
  "resolve",
  { file, ...clientOptions.options, json: jsonOption() },
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
              ["license", buyer.licenseArn]
            ])
      )
    })
).pipe(
  Command.withDescription(
    "Identifies the buyer of a registration token (ResolveCustomer). The token is the x-amzn-marketplace-token that AWS Marketplace posts to the sign-up page."
  )
)

const readToken = (file: Option.Option<string>) =>
  Effect.gen(function* () {
    const isPrompted = Option.isNone(file) && process.stdin.isTTY && process.stdout.isTTY
    const path = Option.getOrElse(file, () => "-")
    const text = yield* isPrompted ? promptForToken : readText(path, "The file with the token")
    const token = text.trim()
    return token === ""
      ? yield* cannotRun("There is no registration token. Give a file with it, or pipe it in.")
      : Redacted.make(token)
  })

const promptForToken = Prompt.hidden({ message: "Registration token:" }).pipe(
  Effect.map(Redacted.value),
  // ends the line, which the prompt leaves unfinished
  Effect.catchTag("QuitException", () => Effect.as(Console.error(""), ""))
)
