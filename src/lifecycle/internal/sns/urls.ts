/** URLs in messages of SNS: only those of AWS are used, and of a sandbox that the program names. */
import * as Option from "effect/Option"

const region = "[a-z]{2}(?:-[a-z]{1,16}){1,3}-\\d{1,2}"

/** The hosts of SNS by partition. Regions of China have a domain of their own. */
const origin = `https://sns\\.(?:(?!cn-)${region}\\.amazonaws\\.com|cn-[a-z]{1,16}-\\d\\.amazonaws\\.com\\.cn)`

const certificateUrl = new RegExp(`^${origin}/SimpleNotificationService-[0-9a-fA-F]{1,64}\\.pem$`)

const serviceUrl = new RegExp(`^${origin}/\\?[^#\\s]*$`)

/** Checks that a URL is at the origin of the sandbox. */
export const isOfSandbox = (url: string, sandboxUrl: string | undefined): boolean =>
  sandboxUrl !== undefined &&
  Option.exists(
    Option.all([parse(url), parse(sandboxUrl)]),
    ([{ origin, password, protocol, username }, sandbox]) =>
      // URLs of other schemes, such as data:, all have the origin "null"
      /^https?:$/.test(protocol) && origin === sandbox.origin && username === "" && password === ""
  )

const parse = Option.liftThrowable((url: string) => new URL(url))

/** The text itself is compared, so that no parser can read another host in it. */
export const isCertificateUrl = (url: string, sandboxUrl: string | undefined): boolean =>
  certificateUrl.test(url) || isOfSandbox(url, sandboxUrl)

const regionalHost = new RegExp(`^https://(sns\\.(${region})\\.(amazonaws\\.com(?:\\.cn)?))/`)

/**
 * The names of which the certificate of a URL has one, as the AWS SDK for Java expects them by Region. Undefined for a URL
 * that is not AWS's.
 */
export const certificateNamesOf = (url: string): ReadonlyArray<string> | undefined => {
  if (!certificateUrl.test(url)) return undefined
  const [, host = "", region = "", domain = ""] = regionalHost.exec(url) ?? []
  return [
    "sns.amazonaws.com",
    host,
    `sns-signing.${region}.${domain}`,
    `sns-${region}.${domain}`,
    ...(region.startsWith("us-gov-") ? ["sns-us-gov-west-1.amazonaws.com"] : [])
  ]
}

/** Checks that a URL confirms the subscription of a topic, and does nothing else. */
export const isConfirmationUrl = (
  url: string,
  { token, topicArn }: { readonly token: string; readonly topicArn: string },
  sandboxUrl: string | undefined
): boolean =>
  (serviceUrl.test(url) || isOfSandbox(url, sandboxUrl)) &&
  Option.exists(parse(url), ({ searchParams }) => {
    const isOnly = (name: string, value: string) => {
      const values = searchParams.getAll(name)
      return values.length === 1 && values[0] === value
    }
    return (
      isOnly("Action", "ConfirmSubscription") &&
      isOnly("TopicArn", topicArn) &&
      isOnly("Token", token)
    )
  })
