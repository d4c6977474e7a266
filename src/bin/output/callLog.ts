/** The calls to a sandbox, printed one a line as they end. */
import * as HashMap from "effect/HashMap"
import * as Layer from "effect/Layer"
import * as Logger from "effect/Logger"
import * as LogLevel from "effect/LogLevel"
import { annotation } from "../../sandbox/internal/server/accessLog.js"
import { logger } from "./terminal.js"

const callLogger = Logger.withConsoleLog(
  Logger.make<unknown, string>(({ date, message }) => `${date.toISOString()} ${message}`)
)

const isCall = ({ annotations }: Logger.Logger.Options<unknown>) =>
  HashMap.has(annotations, annotation)

/** Calls go to standard output, and everything else where it went before. */
export const layer = Layer.merge(
  Logger.minimumLogLevel(LogLevel.Debug),
  Logger.replace(
    logger,
    Logger.make((entry) => {
      if (isCall(entry)) callLogger.log(entry)
      else if (LogLevel.greaterThanEqual(entry.logLevel, LogLevel.Info)) logger.log(entry)
    })
  )
)
