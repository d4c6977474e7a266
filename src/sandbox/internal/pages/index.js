// The module `#pages` in this repository. Bundles the pages on import. The build replaces this module (see write.js).
import { buildPages } from "./build.js"

export const { script, style } = await buildPages()
