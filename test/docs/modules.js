import { readFileSync } from "node:fs"
import { join } from "node:path"

/** The source files of the `exports` in package.json, except the root. */
export const publicModules = (root) => {
  const { exports } = JSON.parse(readFileSync(join(root, "package.json"), "utf8"))
  return Object.entries(exports)
    .filter(([name, { default: file }]) => name !== "." && file?.endsWith(".js"))
    .map(([, { default: file }]) =>
      join(root, file.replace("./dist/", "src/").replace(/\.js$/, ".ts"))
    )
}
