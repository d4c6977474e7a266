/** A form for a purchase: buyer, kind of offer, start and end. */
import { useState } from "preact/hooks"
import type { ProductDetails } from "../../../Marketplace.js"
import type { Customer as CustomerSchema } from "../../../Scenario.js"
import { Field } from "../parts/Field.js"
import { fromLocalField } from "../times.js"

type Product = typeof ProductDetails.Encoded
type Customer = typeof CustomerSchema.Encoded

export const BuyForm = ({
  buy,
  customers,
  product
}: {
  readonly product: Product
  readonly customers: ReadonlyArray<Customer>
  readonly buy: (purchase: object) => void
}) => {
  const { code: productCode, contractDimensions = [], dimensions } = product
  const [customer, setCustomer] = useState("")
  const [entitlement, setEntitlement] = useState("")
  const [offer, setOffer] = useState("public")
  return (
    <form
      aria-label={`Buy ${productCode}`}
      onSubmit={(event) => {
        event.preventDefault()
        buy({ productCode, ...purchaseOf(new FormData(event.currentTarget)) })
      }}
    >
      <div class="row">
        <Field label="Buyer">
          <select
            name="customer"
            value={customer}
            onChange={(event) => setCustomer(event.currentTarget.value)}
          >
            <option value="">a new customer</option>
            {customers.map(({ customerAWSAccountId, customerIdentifier = "" }) => (
              <option key={customerAWSAccountId} value={customerAWSAccountId}>
                {`${customerAWSAccountId} ${customerIdentifier}`}
              </option>
            ))}
          </select>
        </Field>
        {customer === "" && (
          <>
            <Field label="AWS account" hint="12 digits.">
              <input name="account" required inputMode="numeric" defaultValue="555566667777" />
            </Field>
            <Field
              label="Customer identifier"
              hint="Optional, for products listed before June 2026."
            >
              <input name="identifier" />
            </Field>
          </>
        )}
      </div>
      <div class="row">
        <Field label="Offer">
          <select
            name="offer"
            value={offer}
            onChange={(event) => setOffer(event.currentTarget.value)}
          >
            <option value="public">public offer</option>
            <option value="freeTrial">free trial</option>
            <option value="privateOffer">private offer</option>
            <option value="reseller">offer of a reseller</option>
          </select>
        </Field>
        {offer === "reseller" && (
          <Field label="Reseller's AWS account">
            <input name="reseller" required inputMode="numeric" defaultValue="888899990000" />
          </Field>
        )}
        <Field label="Start (UTC)" hint="Optional. Defaults to now.">
          <input name="startsAt" type="datetime-local" />
        </Field>
        <Field label="End (UTC)" hint="Optional. Defaults to none.">
          <input name="endsAt" type="datetime-local" />
        </Field>
      </div>
      <div class="row">
        <Field label="Entitlement" hint="Of a contract.">
          <select
            name="entitlement"
            value={entitlement}
            onChange={(event) => setEntitlement(event.currentTarget.value)}
          >
            <option value="">none</option>
            {[...new Set([...contractDimensions, ...dimensions])].map((dimension) => (
              <option key={dimension}>{dimension}</option>
            ))}
          </select>
        </Field>
        {entitlement !== "" && (
          <Field label="Quantity">
            <input name="quantity" type="number" min={0} step="1" required defaultValue="10" />
          </Field>
        )}
      </div>
      <label class="check">
        <input name="licensed" type="checkbox" defaultChecked /> With a license
      </label>
      <label class="check">
        <input name="paymentFails" type="checkbox" /> The payment fails
      </label>
      <button type="submit">Subscribe</button>
    </form>
  )
}

/** Makes the body of a request from the fields that are filled in. */
const purchaseOf = (form: FormData) => {
  const text = (name: string) => String(form.get(name) ?? "")
  const offer = text("offer")
  return {
    customerAWSAccountId: text("customer") || text("account"),
    ...(text("identifier") !== "" && { customerIdentifier: text("identifier") }),
    ...(offer === "freeTrial" && { freeTrial: true }),
    ...(offer === "privateOffer" && { privateOffer: true }),
    ...(offer === "reseller" && { reseller: text("reseller") }),
    ...(text("startsAt") !== "" && { startsAt: fromLocalField(text("startsAt")) }),
    ...(text("endsAt") !== "" && { endsAt: fromLocalField(text("endsAt")) }),
    ...(text("entitlement") !== "" && {
      entitlements: [
        { dimension: text("entitlement"), value: { integerValue: Number(text("quantity")) } }
      ]
    }),
    ...(form.has("licensed") ? {} : { licenseArn: null }),
    ...(form.has("paymentFails") && { paymentFails: true })
  }
}
