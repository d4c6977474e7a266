/** Every page, on the widths and color schemes that the way of a buyer does not have, and what can be done on it. */
import { beforeAll, describe, expect, it } from "vitest"
import { command } from "../bin/command.js"
import { browser, expectGood, openPage, phone, picture, wide } from "./chromium.js"

const { start } = command()
const { open } = browser()

let url = ""
beforeAll(async () => {
  const { until } = start(["sandbox", "--port", "0"])
  ;[url] = await until(/http:\/\/127\.0\.0\.1:\d+/)
})

const titles = [
  "Products",
  "Customers",
  "Billed",
  "Calls",
  "Events",
  "Built-in seller",
  "Clock",
  "Faults",
  "API"
]

describe.each([
  { name: "phone-dark", viewport: phone, colorScheme: "dark" },
  { name: "wide-light", viewport: wide, colorScheme: "light" }
] as const)("on $name", ({ colorScheme, name, viewport }) => {
  it("each page fits, and axe finds nothing", async () => {
    const { page, problems } = await open(url, { viewport, colorScheme })
    await page.goto(url)
    for (const title of titles) {
      await openPage(page, title)
      await page.getByText("Loading.").first().waitFor({ state: "hidden" })
      await expect(page.title()).resolves.toBe(`${title} - Sandbox of AWS Marketplace`)
      await page.getByText("Not AWS. Nothing is billed.").waitFor()
      await expectGood(page)
      await picture(page, `${name}-${title.replaceAll(" ", "-")}`)
    }
    expect(problems).toEqual([])
  })
})

describe("a page", () => {
  it("is read and left by keyboard alone", async () => {
    const { page } = await open(url)
    await page.goto(`${url}/_sandbox/#/clock`)
    await page.getByRole("heading", { level: 1 }).waitFor()
    const focused = () => page.evaluate(() => document.activeElement?.textContent)
    await page.keyboard.press("Tab")
    expect(await focused()).toBe("Skip to the content")
    await page.keyboard.press("Enter")
    expect(await page.evaluate(() => document.activeElement?.tagName)).toBe("MAIN")
    await page.getByRole("button", { name: "1 minute", exact: true }).waitFor()
    await page.keyboard.press("Tab")
    expect(await focused()).toBe("1 minute")
    await page.keyboard.press("Enter")
    await page.getByText(/^The clock is at/).waitFor()
    await page.getByRole("link", { name: "Products" }).focus()
    await page.keyboard.press("Enter")
    await page.getByRole("heading", { level: 1, name: "Products" }).waitFor()
    expect(await page.evaluate(() => document.activeElement?.tagName)).toBe("MAIN")
  })

  it("of faults adds and removes them", async () => {
    const { page, problems } = await open(url)
    await page.goto(`${url}/_sandbox/#/faults`)
    await page.getByLabel("Retry-After").fill("soon")
    await page.getByRole("button", { name: "Add" }).click()
    await page.getByText(/script\[0\]\.retryAfter: Expected a duration/).waitFor()
    await page.getByLabel("Retry-After").fill("2 seconds")
    await page.getByLabel("Operation").selectOption("BatchMeterUsage")
    await page.getByRole("button", { name: "Add" }).click()
    await page.getByText("Script: the next calls").waitFor()
    await page.getByRole("combobox", { name: "Fault" }).selectOption("cutAfter")
    await page.getByRole("combobox", { name: "Calls" }).selectOption("random")
    await page.getByRole("button", { name: "Add" }).click()
    await page.getByText("cutAfter), BatchMeterUsage, 10 %").waitFor()
    await expectGood(page)
    await picture(page, "wide-light-faults-added")
    const faults = await fetch(`${url}/_sandbox/faults`).then((response) => response.json())
    expect(faults).toMatchObject({
      script: [{ fault: "throttling", operation: "BatchMeterUsage", times: 1, retryAfter: 2_000 }],
      chances: [{ fault: "cutAfter", operation: "BatchMeterUsage", probability: 0.1 }]
    })
    await page.getByRole("button", { name: /^Remove ThrottlingException/ }).click()
    await page.getByText("Script: the next calls").waitFor({ state: "hidden" })
    await page.getByRole("button", { name: "Remove all faults" }).click()
    await page.getByText("There are no faults.").waitFor()
    expect(problems.filter((problem) => !problem.includes("400"))).toEqual([])
  })

  it("of the API sends a request", async () => {
    const { page } = await open(url)
    await page.goto(`${url}/_sandbox/docs`)
    await page.getByText("Mint a registration token").click()
    const form = page.getByRole("form", { name: "Try POST /_sandbox/tokens" })
    await form.getByRole("button", { name: "Send" }).click()
    await form.getByText("HTTP 200").waitFor()
    await form.getByText('"registrationToken": "sandbox-').waitFor()
    await form.getByLabel("Body").fill('{ "customerIdentifier": "x" }')
    await expect(form.getByText(/curl -X POST/).textContent()).resolves.toContain(
      `'${url}/_sandbox/tokens' \\\n  -H 'content-type: application/json' \\\n  --data-raw '{ "customerIdentifier": "x" }'`
    )
    await form.getByRole("button", { name: "Send" }).click()
    await form.getByText("HTTP 409").waitFor()
    await expectGood(page)
    await picture(page, "wide-light-api-tried")
  })

  it("shows that the sandbox has stopped, and goes on when it is back", async () => {
    const { child, until } = start(["sandbox", "--port", "0"])
    const [url] = await until(/http:\/\/127\.0\.0\.1:\d+/)
    const { page } = await open(url)
    await page.goto(url)
    await page.getByRole("heading", { name: "sandbox-analytics" }).waitFor()
    child.kill("SIGKILL")
    await page.getByText("not connected").waitFor()
    await page.getByText("The sandbox does not respond").waitFor()
    await picture(page, "wide-light-lost")
    start(["sandbox", "--port", new URL(url).port])
    await page.getByText("not connected").waitFor({ state: "hidden" })
    await page.getByText("The sandbox does not respond").waitFor({ state: "hidden" })
  })
})
