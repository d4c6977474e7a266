/** The form that the buyer's browser posts from AWS Marketplace to the seller's page. */
import { builtInLanding } from "../landing.js"

export const LandingForm = ({
  fields,
  landingUrl
}: {
  readonly fields: Readonly<Record<string, string>>
  /** The seller's page. Defaults to the built-in registration page. */
  readonly landingUrl?: string | undefined
}) => (
  <form
    class="card"
    method="post"
    action={landingUrl ?? builtInLanding}
    target="_blank"
    rel="noopener"
  >
    {Object.entries(fields).map(([name, value]) => (
      <input key={name} type="hidden" name={name} value={value} />
    ))}
    <p>
      AWS Marketplace sends the buyer to your registration page now, with a token. Here it is{" "}
      {landingUrl === undefined ? (
        "the built-in page: the product has no landingUrl in the scenario."
      ) : (
        <code>{landingUrl}</code>
      )}
    </p>
    <button type="submit">Set up your account</button> <span class="hint">In a new tab.</span>
  </form>
)
