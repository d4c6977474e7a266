// Writes the bundled pages into the built package.
//
//     node src/sandbox/internal/pages/write.js
import { mkdirSync, writeFileSync } from "node:fs"
import { fileURLToPath } from "node:url"
import { buildPages, moduleOf } from "./build.js"

const folder = fileURLToPath(new URL("../../../../dist/sandbox/internal/pages/", import.meta.url))
mkdirSync(folder, { recursive: true })
writeFileSync(`${folder}index.js`, moduleOf(await buildPages()))
