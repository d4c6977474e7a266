/** Chromium, and checks that hold for every page of the sandbox. */
import { mkdirSync } from "node:fs"
import { join } from "node:path"
import axe from "axe-core"
import { type Browser, type BrowserContextOptions, chromium, type Page } from "playwright-core"
import { afterAll, afterEach, beforeAll, expect } from "vitest"

/** A folder for pictures of the pages. Defaults to none. */
const pictures = process.env.SCREENSHOTS

const args = [
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
  // a name that leads to this machine, as by DNS rebinding
  "--host-resolver-rules=MAP rebound.example 127.0.0.1"
]

export const phone = { width: 360, height: 740 }
export const wide = { width: 1280, height: 800 }

/** A page, and the problems that its browser has reported. */
export interface Opened {
  readonly page: Page
  readonly problems: Array<string>
}

/** Starts Chromium for a test file. */
export const browser = () => {
  let running: Browser
  beforeAll(async () => {
    running = await chromium.launch({
      executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
      args
    })
  })
  // a page that stays open goes on to read the sandbox and to draw
  afterEach(() => Promise.all(running.contexts().map((context) => context.close())))
  afterAll(() => running.close())
  return {
    /** Opens a page that may load nothing from another origin than the sandbox's. */
    open: async (url: string, options: BrowserContextOptions = {}): Promise<Opened> => {
      const context = await running.newContext(options)
      context.setDefaultTimeout(20_000)
      const problems: Array<string> = []
      context.on("console", (message) => {
        if (message.type() === "error") problems.push(message.text())
      })
      context.on("weberror", (error) => problems.push(String(error.error())))
      context.on("request", (request) => {
        if (!request.url().startsWith(url)) problems.push(`a request to ${request.url()}`)
      })
      return { page: await context.newPage(), problems }
    },
    /** Opens a page without any checks. */
    openForeign: () => running.newPage()
  }
}

/** Nothing is wider than the screen, and axe finds nothing. */
export const expectGood = async (page: Page) => {
  const width = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth)
  expect(width, `${page.url()} is wider than the screen`).toBeLessThanOrEqual(0)
  // links between pages keep the document, and axe in it
  if (!(await page.evaluate(() => "axe" in globalThis))) await page.evaluate(axe.source)
  const { violations } = await page.evaluate(() =>
    // all rules are run, and only what passes them is not described
    (globalThis as unknown as AxeWindow).axe.run({ resultTypes: ["violations"] })
  )
  expect(
    violations.flatMap(({ id, nodes }) => nodes.map(({ html }) => `${page.url()} ${id}: ${html}`))
  ).toEqual([])
}

interface AxeWindow {
  readonly axe: typeof axe
}

export const picture = async (page: Page, name: string) => {
  if (pictures === undefined) return
  mkdirSync(pictures, { recursive: true })
  await page.screenshot({ path: join(pictures, `${name}.png`), fullPage: true })
}

export const openPage = async (page: Page, title: string) => {
  await page.getByRole("navigation").getByRole("link", { name: title, exact: true }).click()
  await page.getByRole("heading", { level: 1, name: title, exact: true }).waitFor()
}
