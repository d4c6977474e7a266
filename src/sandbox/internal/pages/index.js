// `#pages` in this repository: bundles the pages when they are imported. The build replaces it (see write.js).
import { buildPages } from "./build.js"

export const { script, style } = await buildPages()
