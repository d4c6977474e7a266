/** The way of a buyer on the pages of the command: purchase, registration, usage, cancellation, last hour, end. */
import {
  BatchMeterUsageCommand,
  MarketplaceMeteringClient
} from "@aws-sdk/client-marketplace-metering"
import type { Page } from "playwright-core"
import { describe, expect, it } from "vitest"
import { command } from "../bin/command.js"
import { browser, expectGood, openPage, phone, picture, wide } from "./chromium.js"

const { start } = command()
const { open } = browser()

const account = "777788889999"

const startSandbox = async () => {
  const { child, until } = start(["sandbox", "--port", "0"])
  const [url] = await until(/http:\/\/127\.0\.0\.1:\d+/)
  return { child, url }
}

/** Usage of the hour that the sandbox's clock shows, sent by the official SDK. */
const meter = async (endpoint: string, quantity: number) => {
  const client = new MarketplaceMeteringClient({
    endpoint,
    region: "us-east-1",
    credentials: { accessKeyId: "sandbox", secretAccessKey: "sandbox" }
  })
  const { now } = await fetch(`${endpoint}/_sandbox/clock`).then((response) => response.json())
  const { Results } = await client.send(
    new BatchMeterUsageCommand({
      ProductCode: "sandbox-analytics",
      UsageRecords: [
        {
          Timestamp: new Date(now),
          Dimension: "api-calls",
          Quantity: quantity,
          CustomerAWSAccountId: account
        }
      ]
    })
  )
  return Results?.map(({ Status }) => Status)
}

const agreementOf = (page: Page) =>
  page.getByRole("region", { name: `Customer ${account}` }).getByRole("listitem")

describe.each([
  { name: "phone-light", viewport: phone, colorScheme: "light" },
  { name: "wide-dark", viewport: wide, colorScheme: "dark" }
] as const)("the way of a buyer on $name", ({ colorScheme, name, viewport }) => {
  it("leads from the purchase to the end", async () => {
    const { child, url } = await startSandbox()
    const { page, problems } = await open(url, { viewport, colorScheme })
    const look = async (step: string) => {
      await expectGood(page)
      await picture(page, `${name}-${step}`)
    }

    await page.goto(url)
    await page.getByText("Not AWS. Nothing is billed.").waitFor()
    await page.getByRole("button", { name: "Buy sandbox-analytics" }).click()
    await page.getByLabel("AWS account").fill(account)
    await page.getByRole("combobox", { name: "Entitlement" }).selectOption("seats")
    await look("1-buy")
    await page.getByRole("button", { name: "Subscribe" }).click()
    await page.getByText(`Customer ${account} has bought it`).waitFor()
    await look("2-bought")

    const [landing] = await Promise.all([
      page.waitForEvent("popup"),
      page.getByRole("button", { name: "Set up your account" }).click()
    ])
    await landing.getByText(`Welcome, customer ${account}`).waitFor()
    expect(landing.url()).toBe(`${url}/_sandbox/#/seller`)
    await landing.getByText("now active").waitFor()
    await landing.getByText("seats 10").waitFor()
    await expectGood(landing)
    await picture(landing, `${name}-3-landing`)
    await landing.close()

    await openPage(page, "Billed")
    await page.getByText("Nothing is billed yet").waitFor()
    expect(await meter(url, 4_200)).toEqual(["Success"])
    // without a reload
    await page.getByRole("row", { name: account }).getByText("4,200").waitFor()
    await page.getByRole("img", { name: "api-calls of sandbox-analytics" }).waitFor()
    await look("4-billed")

    await openPage(page, "Customers")
    await agreementOf(page).getByText("yes", { exact: true }).waitFor()
    await agreementOf(page).getByRole("button", { name: "Cancel" }).click()
    await agreementOf(page).getByText("ending", { exact: true }).waitFor()
    await expect(agreementOf(page).getByRole("button", { name: "Cancel" }).count()).resolves.toBe(0)
    await look("5-canceled")

    await openPage(page, "Clock")
    await page.getByRole("button", { name: "1 minute", exact: true }).click()
    await page.getByText(/^The clock is at/).waitFor()
    await look("6-clock")
    // of the same hour, so another quantity would be a duplicate
    expect(await meter(url, 4_200)).toEqual(["Success"])
    await page.getByRole("button", { name: "1 hour", exact: true }).click()
    await openPage(page, "Customers")
    await agreementOf(page).getByText("ended", { exact: true }).waitFor()
    expect(await meter(url, 1)).toEqual(["CustomerNotSubscribed"])
    await look("7-ended")

    await openPage(page, "Events")
    const events = page.getByRole("main").locator("summary")
    await events.filter({ hasText: "License Deprovisioned - Manufacturer" }).first().waitFor()
    await events.filter({ hasText: "Purchase Agreement Created - Proposer" }).first().click()
    await page.getByText('"intent": "NEW"').waitFor()
    await look("8-events")

    await openPage(page, "Built-in seller")
    const received = page.getByRole("main").locator("summary")
    await received.filter({ hasText: "License Deprovisioned - Manufacturer" }).first().click()
    await page.getByText('"status": "CANCELLED"').or(page.getByText('"arn"')).first().waitFor()
    await look("9-received")

    await openPage(page, "Calls")
    await page.getByText("HTTP 200 1 CustomerNotSubscribed").first().click()
    await page.getByText("signature verified").first().waitFor()
    await page.getByText('"Status": "CustomerNotSubscribed"').waitFor()
    await look("10-calls")

    expect(problems).toEqual([])
    child.kill("SIGTERM")
  })
})
