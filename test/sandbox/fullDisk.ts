import { SystemError } from "@effect/platform/Error"
import * as FileSystem from "@effect/platform/FileSystem"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"

/** The files in context on a disk that is full at times. Half of the bytes of a write that fails get there. */
export const fullWhile = (isFull: () => boolean) =>
  Layer.effect(
    FileSystem.FileSystem,
    Effect.map(
      FileSystem.FileSystem,
      (fs) =>
        ({
          ...fs,
          open: (path, options) =>
            Effect.map(fs.open(path, options), (opened) => ({
              ...opened,
              truncate: (length) => opened.truncate(length),
              sync: opened.sync,
              stat: opened.stat,
              writeAll: (bytes) =>
                isFull()
                  ? Effect.zipRight(
                      opened.writeAll(bytes.subarray(0, bytes.length / 2)),
                      Effect.fail(
                        new SystemError({
                          reason: "WriteZero",
                          module: "FileSystem",
                          method: "writeAll"
                        })
                      )
                    )
                  : opened.writeAll(bytes)
            }))
        }) satisfies FileSystem.FileSystem
    )
  )
