/** Checks the URLs in SNS messages. Only URLs of AWS and of the configured sandbox are trusted. */
import * as Option from "effect/Option"

const region = "[a-z]{2}(?:-[a-z]{1,16}){1,3}-\\d{1,2}"

/** Matches the origins of SNS. The Regions in China have their own domain. */
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

/** Matches the text and not a parsed URL, because another parser could find another host in the same text. */
export const isCertificateUrl = (url: string, sandboxUrl: string | undefined): boolean =>
  certificateUrl.test(url) || isOfSandbox(url, sandboxUrl)

const regionalHost = new RegExp(`^https://(sns\\.(${region})\\.(amazonaws\\.com(?:\\.cn)?))/`)

/**
 * Returns the names that SNS certificates of the URL's Region are issued to, as in the AWS SDK for Java. A certificate must
 * have one of them. Returns `undefined` for a URL that is not of AWS.
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
