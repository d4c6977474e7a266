/** Warns that the browser has blocked a redirect of the seller's registration page, and tells how to allow it. */
import { useEffect, useState } from "preact/hooks"

export const BlockedRedirect = () => {
  const [isBlocked, setBlocked] = useState(false)
  useEffect(() => {
    const notice = ({ effectiveDirective }: SecurityPolicyViolationEvent) => {
      if (effectiveDirective === "form-action") setBlocked(true)
    }
    document.addEventListener("securitypolicyviolation", notice)
    return () => document.removeEventListener("securitypolicyviolation", notice)
  }, [])
  return isBlocked ? (
    <p class="message bad" role="alert">
      The registration page redirects to another origin, and the policy of these pages blocks that.{" "}
      <a href="/_sandbox/?redirects=any#/customers">Allow redirects</a>, and open the registration
      page again.
    </p>
  ) : null
}
