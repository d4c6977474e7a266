/** Hostile input: markup in names, pages of other sites, and a foreign name that leads to this machine. */
import { writeFileSync } from "node:fs"
import { createServer, type IncomingMessage, type RequestListener, type Server } from "node:http"
import type { AddressInfo } from "node:net"
import { afterEach, describe, expect, it, vi } from "vitest"
import { command } from "../bin/command.js"
import { browser, expectGood, openPage, picture } from "./chromium.js"

const { file, start } = command()
const { open, openForeign } = browser()

const markup = `"><img src=x onerror="window.hacked=1"><script>window.hacked=1</script>`

const startSandbox = async (scenario: object) => {
  writeFileSync(file("scenario.json"), JSON.stringify(scenario))
  const { until } = start(["sandbox", "--port", "0", "--scenario", file("scenario.json")])
  const [url] = await until(/http:\/\/127\.0\.0\.1:\d+/)
  return url
}

const servers: Array<Server> = []

afterEach(() => {
  for (const server of servers.splice(0)) server.close()
})

/** A site of another origin, with one page. It collects what is posted to it. */
const site = (html: (body: string, request: IncomingMessage) => string) =>
  listen((request, response) => {
    let body = ""
    request.setEncoding("utf8").on("data", (chunk: string) => {
      body += chunk
    })
    request.on("end", () => {
      response.setHeader("content-type", "text/html")
      response.end(html(body, request))
    })
  })

const redirectTo = (location: string) =>
  listen((request, response) => {
    request.resume()
    response.writeHead(303, { location }).end()
  })

const listen = (handle: RequestListener) =>
  new Promise<string>((resolve) => {
    const server = createServer(handle)
    servers.push(server)
    server.listen(0, "127.0.0.1", () => {
      // it listens on a port
      resolve(`http://127.0.0.1:${(server.address() as AddressInfo).port}`)
    })
  })

const json = (path: string) => fetch(path).then((response) => response.json())

describe("markup in names", () => {
  it("is shown as text on every page", async () => {
    const url = await startSandbox({
      products: [{ code: "product", dimensions: [markup] }],
      customers: [
        {
          customerAWSAccountId: "111122223333",
          customerIdentifier: markup,
          agreements: [{ productCode: "product" }]
        }
      ],
      faults: { script: [{ fault: "rejection", code: markup, message: markup }] }
    })
    await fetch(`${url}/_sandbox/built-in/receiver`, {
      method: "POST",
      headers: { "content-type": `text/plain; ${markup}`, "x-amz-sns-message-type": markup },
      body: markup
    })
    for (const body of [
      '{"Message":{"toString":null}}',
      "[".repeat(100_000) + "]".repeat(100_000)
    ]) {
      await fetch(`${url}/_sandbox/built-in/receiver`, { method: "POST", body })
    }
    await fetch(url, {
      method: "POST",
      headers: {
        "x-amz-target": "AWSMPMeteringService.ResolveCustomer",
        authorization: `AWS4-HMAC-SHA256 Credential=${"<script>".repeat(3)}/x`
      },
      body: JSON.stringify({ RegistrationToken: markup })
    })
    const { page, problems } = await open(url)
    await page.goto(url)
    for (const title of ["Products", "Customers", "Calls", "Built-in seller", "Faults"]) {
      await openPage(page, title)
      const closed = page.locator("main details:not([open]) > summary")
      await vi.waitFor(
        async () => {
          while ((await closed.count()) > 0) await closed.first().click()
          expect(await page.getByText("<script>").first().isVisible()).toBe(true)
        },
        { timeout: 20_000, interval: 200 }
      )
      await expectGood(page)
      await picture(page, `hostile-${title}`)
    }
    expect(await page.evaluate(() => "hacked" in globalThis)).toBe(false)
    await expect(page.locator("main img").count()).resolves.toBe(0)
    expect(problems).toEqual([])
  })
})

describe("a page of another site", () => {
  it("changes nothing with forms and scripts, and shows no page in a frame", async () => {
    const url = await startSandbox({})
    const before = await json(`${url}/_sandbox/agreements`)
    const evil = await site(
      () => `<iframe src="${url}/_sandbox/"></iframe>
<form method="post" enctype="text/plain" target="_blank" action="${url}/_sandbox/buy">
<input name='{"customerAWSAccountId":"666677778888","productCode":"sandbox-analytics","offerId":"' value='"}'>
<button>Buy</button></form>
<form method="post" target="_blank" action="${url}/_sandbox/built-in/landing">
<input name="x-amzn-marketplace-token" value="x"><button>Land</button></form>
<button onclick="send()">Send</button>
<script>
window.results = []
const send = async () => {
  for (const [path, init] of [
    ["/_sandbox/buy", { method: "POST", headers: { "content-type": "application/json" }, body: "{}" }],
    ["/_sandbox/reset", { method: "POST", mode: "no-cors" }],
    ["/_sandbox/customers", {}]
  ]) results.push(await fetch("${url}" + path, init).then((response) => response.type, () => "failed"))
}
</script>`
    )
    const page = await openForeign()
    await page.goto(evil)
    for (const name of ["Buy", "Land"]) {
      const [tab] = await Promise.all([
        page.waitForEvent("popup"),
        page.getByRole("button", { name }).click()
      ])
      await tab.waitForLoadState()
      expect(await tab.content()).toContain("Rejected")
    }
    await page.getByRole("button", { name: "Send" }).click()
    await page.waitForFunction("results.length === 3")
    // an opaque response tells nothing: the reset below shows that it was rejected
    expect(await page.evaluate("results")).toEqual(["failed", "opaque", "failed"])
    const frame = page.frames().find((one) => one !== page.mainFrame())
    expect(await frame?.content()).not.toContain("Products")
    await fetch(`${url}/_sandbox/suspend`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: '{"customerAWSAccountId":"111122223333"}'
    })
    await page.evaluate(
      (address) => fetch(`${address}/_sandbox/reset`, { method: "POST", mode: "no-cors" }),
      url
    )
    const customers = await json(`${url}/_sandbox/customers`)
    expect(customers[0].suspended).toBe(true)
    expect(await json(`${url}/_sandbox/agreements`)).toHaveLength(before.length)
    expect(await json(`${url}/_sandbox/built-in/registrations`)).toEqual([])
  })

  it("cannot read the sandbox by a name that leads to this machine", async () => {
    const url = await startSandbox({})
    const page = await openForeign()
    const response = await page.goto(`http://rebound.example:${new URL(url).port}/_sandbox/`)
    expect(response?.status()).toBe(403)
    expect(await page.content()).not.toContain("script.js")
  })
})

describe("the seller's registration page", () => {
  it("receives the form, as from AWS Marketplace", async () => {
    const posted: Array<string> = []
    const seller = await site((body, { headers, method }) => {
      posted.push(`${method} ${headers["content-type"]} ${body}`)
      return "Welcome"
    })
    const url = await startSandbox({
      products: [{ code: "product", dimensions: ["hosts"], landingUrl: `${seller}/sign-up` }]
    })
    const { page } = await open(url)
    await page.goto(url)
    await page.getByRole("button", { name: "Buy product" }).click()
    await page.getByRole("combobox", { name: "Offer" }).selectOption("freeTrial")
    await page.getByRole("button", { name: "Subscribe" }).click()
    const [tab] = await Promise.all([
      page.waitForEvent("popup"),
      page.getByRole("button", { name: "Set up your account" }).click()
    ])
    await tab.getByText("Welcome").waitFor()
    expect(tab.url()).toBe(`${seller}/sign-up`)
    expect(posted[0]).toMatch(
      /^POST application\/x-www-form-urlencoded x-amzn-marketplace-token=sandbox-[0-9a-f]+&x-amzn-marketplace-offer-type=free-trial$/
    )
  })

  it("may redirect to another origin, once that is allowed", async () => {
    const login = await site(() => "Log in")
    const seller = await redirectTo(`${login}/login`)
    const url = await startSandbox({
      products: [{ code: "product", dimensions: ["hosts"], landingUrl: `${seller}/sign-up` }]
    })
    const { page } = await open(url)
    await page.goto(url)
    await page.getByRole("button", { name: "Buy product" }).click()
    await page.getByRole("button", { name: "Subscribe" }).click()
    await page.getByRole("button", { name: "Set up your account" }).click()
    await page.getByText("redirects to another origin").waitFor()
    await expectGood(page)
    await picture(page, "hostile-redirect")
    await page.getByRole("link", { name: "Allow redirects" }).click()
    await page.getByRole("button", { name: "Open the registration page" }).click()
    const [tab] = await Promise.all([
      page.waitForEvent("popup"),
      page.getByRole("button", { name: "Set up your account" }).click()
    ])
    await tab.getByText("Log in").waitFor()
  })
})
