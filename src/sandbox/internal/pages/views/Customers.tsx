/** The customers and their agreements, with the operations that are possible now. */
import type { AgreementDetails } from "../../../Marketplace.js"
import type { Customer as CustomerSchema } from "../../../Scenario.js"
import { send } from "../client.js"
import { groupBy } from "../groupBy.js"
import { Badge } from "../parts/Badge.js"
import { Loaded } from "../parts/Loaded.js"
import { Messages } from "../parts/Messages.js"
import { useAction } from "../useAction.js"
import { usePolled } from "../usePolled.js"
import { AgreementCard } from "./AgreementCard.js"

type Customer = typeof CustomerSchema.Encoded
type Agreement = typeof AgreementDetails.Encoded

export const Customers = () => {
  const customers = usePolled<ReadonlyArray<Customer>>("/_sandbox/customers")
  const agreements = usePolled<ReadonlyArray<Agreement>>("/_sandbox/agreements")
  return (
    <Loaded polled={customers}>
      {(allCustomers) => (
        <Loaded polled={agreements}>
          {(allAgreements) => {
            const byAccount = groupBy(allAgreements, (one) => one.customerAWSAccountId)
            return allCustomers.length === 0 ? (
              <p>There is no customer yet. Buy a product.</p>
            ) : (
              allCustomers.map((customer) => (
                <CustomerSection
                  key={customer.customerAWSAccountId}
                  customer={customer}
                  agreements={byAccount.get(customer.customerAWSAccountId) ?? []}
                />
              ))
            )
          }}
        </Loaded>
      )}
    </Loaded>
  )
}

const CustomerSection = ({
  agreements,
  customer
}: {
  readonly customer: Customer
  readonly agreements: ReadonlyArray<Agreement>
}) => {
  const { customerAWSAccountId, customerIdentifier, suspended = false } = customer
  const action = useAction()
  const label = `${suspended ? "Resume" : "Suspend"} the AWS account`
  const toggle = () =>
    action.run(async () => {
      const path = suspended ? "/_sandbox/resume" : "/_sandbox/suspend"
      await send("POST", path, { customerAWSAccountId })
      return suspended ? "The AWS account is resumed." : "The AWS account is suspended."
    })
  return (
    <section aria-label={`Customer ${customerAWSAccountId}`}>
      <h2>
        {customerAWSAccountId} <span class="quiet">{customerIdentifier}</span>{" "}
        {suspended && <Badge tone="bad">suspended</Badge>}
      </h2>
      <button type="button" aria-label={`${label}: ${customerAWSAccountId}`} onClick={toggle}>
        {label}
      </button>
      <Messages {...action} />
      {agreements.length === 0 ? (
        <p>No agreements.</p>
      ) : (
        <ul class="list">
          {agreements.map((agreement) => (
            <li key={agreement.agreementId} class="card">
              <AgreementCard agreement={agreement} />
            </li>
          ))}
        </ul>
      )}
    </section>
  )
}
