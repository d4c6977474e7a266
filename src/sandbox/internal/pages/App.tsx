/** The frame of all pages: the sandbox's label, the navigation and the current page. */
import { useEffect, useRef } from "preact/hooks"
import { BlockedRedirect } from "./parts/BlockedRedirect.js"
import { Time } from "./parts/Time.js"
import { usePolled } from "./usePolled.js"
import { useRoute } from "./useRoute.js"
import { Billed } from "./views/Billed.js"
import { Calls } from "./views/Calls.js"
import { Clock } from "./views/Clock.js"
import { Customers } from "./views/Customers.js"
import { Docs } from "./views/Docs.js"
import { Events } from "./views/Events.js"
import { Faults } from "./views/Faults.js"
import { Products } from "./views/Products.js"
import { Seller } from "./views/Seller.js"

const home = "/_sandbox/"
const docs = "/_sandbox/docs"

interface Page {
  readonly route: string
  readonly title: string
  readonly View: () => preact.JSX.Element
}

const pages: ReadonlyArray<Page> = [
  { route: "products", title: "Products", View: Products },
  { route: "customers", title: "Customers", View: Customers },
  { route: "billed", title: "Billed", View: Billed },
  { route: "calls", title: "Calls", View: Calls },
  { route: "events", title: "Events", View: Events },
  { route: "seller", title: "Built-in seller", View: Seller },
  { route: "clock", title: "Clock", View: Clock },
  { route: "faults", title: "Faults", View: Faults }
]

const docsPage: Page = { route: "docs", title: "API", View: Docs }

const [firstPage] = pages

const pageOf = (route: string): Page | undefined =>
  location.pathname === docs
    ? docsPage
    : route === ""
      ? firstPage
      : pages.find((page) => page.route === route)

export const App = () => {
  const route = useRoute()
  const page = pageOf(route)
  const title = page?.title ?? "No such page"
  const main = useRef<HTMLElement>(null)
  const isFirst = useRef(true)
  useEffect(() => {
    document.title = `${title} - Sandbox of AWS Marketplace`
    // moves the focus, so that a screen reader reads the new page from its start
    if (!isFirst.current) main.current?.focus()
    isFirst.current = false
  }, [title])
  return (
    <>
      <button type="button" class="skip" onClick={() => main.current?.focus()}>
        Skip to the content
      </button>
      <header>
        <p class="label">
          <strong>Sandbox of AWS Marketplace</strong> <span>Not AWS. Nothing is billed.</span>
        </p>
        <Now />
      </header>
      <nav aria-label="Pages">
        <ul>
          {pages.map((one) => (
            <NavItem
              key={one.route}
              href={`${home}#/${one.route}`}
              title={one.title}
              isCurrent={one === page}
            />
          ))}
          <NavItem href={docs} title={docsPage.title} isCurrent={page === docsPage} />
        </ul>
      </nav>
      <main ref={main} tabIndex={-1}>
        <BlockedRedirect />
        <h1>{title}</h1>
        {page === undefined ? <p>Choose one above.</p> : <page.View />}
      </main>
    </>
  )
}

const NavItem = ({
  href,
  isCurrent,
  title
}: {
  readonly href: string
  readonly title: string
  readonly isCurrent: boolean
}) => (
  <li>
    <a href={href} aria-current={isCurrent ? "page" : undefined}>
      {title}
    </a>
  </li>
)

const Now = () => {
  const { data, error } = usePolled<{ readonly now: string }>("/_sandbox/clock")
  return (
    <p class="now" title="The sandbox's clock, in UTC">
      {error !== undefined ? (
        <span class="lost">not connected</span>
      ) : (
        data !== undefined && (
          <>
            <Time at={data.now} /> UTC
          </>
        )
      )}
    </p>
  )
}
