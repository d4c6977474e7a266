import { defineConfig, mergeConfig } from "vitest/config"
import base from "../vitest.config.js"

const { projects: _, ...test } = base.test ?? {}

/** Tests of the sandbox's pages in Chromium. */
export default mergeConfig(
  { ...base, test: { ...test, include: [] } },
  defineConfig({ test: { include: ["test/browser/*.browser.ts"], fileParallelism: false } })
)
