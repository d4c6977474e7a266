/** An answer as it came over HTTP, and what it tells of itself before anyone reads its body. */

/** An HTTP answer, header names in lower case. */
export interface RawResponse {
  readonly status: number
  readonly headers: { readonly [name: string]: string | undefined }
  /** Empty where it is longer than is read. */
  readonly body: string
  /** Whether the body is longer than `responseSizeLimit`; the rest of it is never read. */
  readonly isTooLong?: boolean | undefined
}

/**
 * The most that is read of a body, in bytes once it is no longer compressed. The service repeats the records of a request
 * with something to each, and a request is less than 1 MB.
 */
export const responseSizeLimit = 4 * 1024 * 1024

/** Puts an answer's text together from its bytes, as far as the limit. */
export const bodyReader = () => {
  const decoder = new TextDecoder()
  let body = ""
  let size = 0
  return {
    /** Whether more may follow. */
    add: (chunk: Uint8Array): boolean => {
      size += chunk.length
      if (size <= responseSizeLimit) body += decoder.decode(chunk, { stream: true })
      return size <= responseSizeLimit
    },
    end: (): Pick<RawResponse, "body" | "isTooLong"> =>
      size <= responseSizeLimit ? { body: body + decoder.decode() } : tooLongBody
  }
}

export const tooLongBody: Pick<RawResponse, "body" | "isTooLong"> = { body: "", isTooLong: true }

/** A browser gives a redirect that it was not to follow the status 0. */
export const isSuccess = ({ status }: RawResponse): boolean => status >= 200 && status < 300

/** What every answer and every error of the service carries. */
export const responseMetadata = (response: RawResponse, redact: (text: string) => string) => {
  const requestId = requestIdOf(response, redact)
  return { statusCode: response.status, ...(requestId !== undefined && { requestId }) }
}

/** The id by which AWS can find a call. What is longer than such an id is something else. */
export const requestIdOf = (
  { headers }: RawResponse,
  redact: (text: string) => string
): string | undefined => {
  const id =
    headers["x-amzn-requestid"] ?? headers["x-amzn-request-id"] ?? headers["x-amz-request-id"]
  if (id === undefined || id.length > 60) return undefined
  // every answer has one, and a UUID is nobody's secret: there is nothing to search it for
  return uuid.test(id) ? id : redact(id)
}

const uuid = /^[\da-f]{8}(-[\da-f]{4}){3}-[\da-f]{12}$/i
