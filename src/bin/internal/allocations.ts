/** Usage split by tags, as JSON in one cell of a file or in one option. */
import * as Either from "effect/Either"

/** Names of the library and names on the wire differ in their first letter only. */
const domainName = (name: string) => name.charAt(0).toLowerCase() + name.slice(1)

const inDomainNames = (value: unknown): unknown =>
  Array.isArray(value)
    ? value.map(inDomainNames)
    : typeof value === "object" && value !== null
      ? Object.fromEntries(
          Object.entries(value).map(([name, inner]) => [domainName(name), inDomainNames(inner)])
        )
      : value

/** What the text says, by the library's names; whether those are allocations is for the record to check. */
export const read = (text: string): Either.Either<unknown, string> =>
  Either.try({
    try: () => inDomainNames(JSON.parse(text)),
    catch: () =>
      'a JSON list such as [{"allocatedUsageQuantity":1,"tags":[{"key":"team","value":"search"}]}]'
  })

export { inDomainNames }
