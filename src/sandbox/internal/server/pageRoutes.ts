/** The routes of the pages for browsers. Their script and style sheet are loaded on the first request for them. */
import type * as HttpServerRequest from "@effect/platform/HttpServerRequest"
import * as HttpServerResponse from "@effect/platform/HttpServerResponse"
import * as Effect from "effect/Effect"
import type { ProductDetails } from "../../Marketplace.js"
import type { Service } from "../../MeteringSandbox.js"
import { sandboxHeaders } from "./httpResponse.js"
import { pathAndQueryOf, pathOf } from "./requestReader.js"

type Request = HttpServerRequest.HttpServerRequest
type Response = HttpServerResponse.HttpServerResponse

const home = "/_sandbox/"
const docs = "/_sandbox/docs"
const script = "/_sandbox/pages/script.js"
const style = "/_sandbox/pages/style.css"
const icon = "/_sandbox/pages/icon.svg"

/** The HTML of all pages. The script selects the page by the URL. */
const document = `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>Sandbox of AWS Marketplace</title>
<link rel="icon" href="${icon}">
<link rel="stylesheet" href="${style}">
<script type="module" src="${script}"></script>
</head>
<body>
<div id="app"></div>
<noscript>This is a sandbox, not AWS. Its pages need JavaScript. Its API is described at /_sandbox/openapi.json.</noscript>
</body>
</html>
`

const iconImage =
  '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 16 16"><rect width="16" height="16" rx="3" fill="#b35900"/><path d="M3 12V9h2v3zm4 0V6h2v6zm4 0V3h2v9z" fill="#fff"/></svg>'

/** Allows only files of this server, no frames, and forms only to this server and the seller's registration pages. */
const contentSecurityPolicyOf = (formTargets: ReadonlyArray<string>): string =>
  [
    "default-src 'none'",
    "script-src 'self'",
    "style-src 'self'",
    "img-src 'self'",
    "connect-src 'self'",
    `form-action ${["'self'", ...formTargets].join(" ")}`,
    "frame-ancestors 'none'",
    "base-uri 'none'"
  ].join("; ")

const originsOf = (products: ReadonlyArray<ProductDetails>): ReadonlyArray<string> => [
  ...new Set(
    products.flatMap(({ landingUrl }) => (landingUrl === undefined ? [] : [sourceOf(landingUrl)]))
  )
]

/** Returns the origin of a URL, or only its scheme if a policy cannot express the host, such as an IPv6 address. */
const sourceOf = (url: string): string => {
  const { origin, protocol } = new URL(url)
  return /^https?:\/\/[\w.-]+(:\d+)?$/.test(origin) ? origin : protocol
}

/**
 * Returns true if the query allows redirects to any origin. A registration page that redirects to another origin, such as a
 * login, needs this, because Chromium applies `form-action` also to the redirects after a form.
 */
const allowsRedirects = (request: Request): boolean =>
  new URLSearchParams(pathAndQueryOf(request).split("?")[1]).get("redirects") === "any"

const pageFor = (products: ReadonlyArray<ProductDetails>, request: Request): Response =>
  HttpServerResponse.text(document, {
    contentType: "text/html; charset=utf-8",
    headers: {
      "content-security-policy": contentSecurityPolicyOf(
        allowsRedirects(request) ? ["http:", "https:"] : originsOf(products)
      ),
      "cross-origin-opener-policy": "same-origin",
      "cache-control": "no-cache"
    }
  })

const file = (text: string, contentType: string): Response =>
  HttpServerResponse.text(text, {
    contentType,
    headers: { "x-content-type-options": "nosniff", "cache-control": "no-cache" }
  })

const texts = Effect.promise(() => import("#pages"))

type Handler = (request: Request) => Effect.Effect<Response>

/** Makes a function that returns the handler of a request for a page or its files, or `undefined` for other requests. */
export const make = (sandbox: Service) => {
  const page: Handler = (request) =>
    Effect.map(sandbox.marketplace.products, (products) => pageFor(products, request))
  const handlers = new Map<string, Handler>([
    [home, page],
    [docs, page],
    [script, () => Effect.map(texts, (all) => file(all.script, "text/javascript; charset=utf-8"))],
    [style, () => Effect.map(texts, (all) => file(all.style, "text/css; charset=utf-8"))],
    [icon, () => Effect.succeed(file(iconImage, "image/svg+xml"))]
  ])
  return (request: Request): Handler | undefined => {
    return isRead(request) ? handlers.get(pathOf(request)) : undefined
  }
}

const isRead = ({ method }: Request): boolean => method === "GET" || method === "HEAD"

/** Returns true for requests to redirect to the pages: for `/_sandbox` without a slash, and for `/` if the client accepts HTML. */
export const isIndex = (request: Request): boolean => {
  const path = pathOf(request)
  return isRead(request) && (path === "/_sandbox" || (path === "/" && acceptsHtml(request)))
}

const acceptsHtml = ({ headers }: Request): boolean => /\btext\/html\b/i.test(headers.accept ?? "")

export const redirectHome: Response = HttpServerResponse.redirect(home, {
  headers: sandboxHeaders
})
