/** The products, each with a form to buy it and the form that the buyer then posts to the seller's page. */
import { useState } from "preact/hooks"
import type { Landing as LandingSchema, ProductDetails } from "../../../Marketplace.js"
import type { Customer as CustomerSchema } from "../../../Scenario.js"
import { send } from "../client.js"
import { LandingForm } from "../parts/LandingForm.js"
import { Loaded } from "../parts/Loaded.js"
import { Messages } from "../parts/Messages.js"
import { useAction } from "../useAction.js"
import { usePolled } from "../usePolled.js"
import { BuyForm } from "./BuyForm.js"

type Product = typeof ProductDetails.Encoded
type Customer = typeof CustomerSchema.Encoded
type Landing = typeof LandingSchema.Encoded

export const Products = () => {
  const products = usePolled<ReadonlyArray<Product>>("/_sandbox/products")
  const customers = usePolled<ReadonlyArray<Customer>>("/_sandbox/customers")
  return (
    <>
      <p>Buy a product as a customer would on AWS Marketplace.</p>
      <Loaded polled={products}>
        {(all) => (
          <ul class="list">
            {all.map((product) => (
              <li key={product.code} class="card">
                <ProductCard product={product} customers={customers.data ?? []} />
              </li>
            ))}
          </ul>
        )}
      </Loaded>
    </>
  )
}

const ProductCard = ({
  customers,
  product
}: {
  readonly product: Product
  readonly customers: ReadonlyArray<Customer>
}) => {
  const [isBuying, setBuying] = useState(false)
  const [landing, setLanding] = useState<Landing>()
  const action = useAction()
  const buy = (purchase: object) =>
    action.run(async () => {
      setLanding(undefined)
      const bought = await send<Landing>("POST", "/_sandbox/buy", purchase)
      setLanding(bought)
      setBuying(false)
      const { agreementId, customerAWSAccountId } = bought.agreement
      return `Customer ${customerAWSAccountId} has bought it: agreement ${agreementId}.`
    })
  return (
    <>
      <h2>{product.code}</h2>
      <dl class="facts">
        <dt>Product id</dt>
        <dd>{product.productId}</dd>
        <dt>Dimensions</dt>
        <dd>{product.dimensions.join(", ")}</dd>
        {product.contractDimensions !== undefined && (
          <>
            <dt>Contract dimensions</dt>
            <dd>{product.contractDimensions.join(", ")}</dd>
          </>
        )}
        {product.region !== undefined && (
          <>
            <dt>Region</dt>
            <dd>{product.region}</dd>
          </>
        )}
        <dt>Registration page</dt>
        <dd>{product.landingUrl ?? "built-in"}</dd>
      </dl>
      <button
        type="button"
        aria-expanded={isBuying}
        aria-label={`Buy ${product.code}`}
        onClick={() => setBuying(!isBuying)}
      >
        Buy
      </button>
      {isBuying && <BuyForm product={product} customers={customers} buy={buy} />}
      <Messages {...action} />
      {landing !== undefined && <LandingForm {...landing} />}
    </>
  )
}
