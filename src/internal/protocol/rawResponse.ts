/** An HTTP response before its body is decoded. */

/** Header names are in lower case. */
export interface RawResponse {
  readonly status: number
  readonly headers: { readonly [name: string]: string | undefined }
  /** Empty if it is longer than `responseSizeLimit`. */
  readonly body: string
  /** True if the body exceeds `responseSizeLimit`, where reading stops. */
  readonly isTooLong?: boolean | undefined
}

/**
 * Maximum size of a body, in bytes after decompression. A response repeats the records of its request, which has less than 1
 * MB, with a few fields added to each.
 */
export const responseSizeLimit = 4 * 1024 * 1024

/** Decodes a body chunk by chunk, up to `responseSizeLimit`. */
export const bodyReader = () => {
  const decoder = new TextDecoder()
  let body = ""
  let size = 0
  return {
    /** Returns whether to continue reading. */
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

/** Returns whether the status is 2xx. In a browser, a redirect that is not followed has status 0. */
export const isSuccess = ({ status }: Pick<RawResponse, "status">): boolean =>
  status >= 200 && status < 300

/** The metadata of every response and every error of the service. */
export const responseMetadata = (response: RawResponse, redact: (text: string) => string) => {
  const requestId = requestIdOf(response, redact)
  return { statusCode: response.status, ...(requestId !== undefined && { requestId }) }
}

/** Returns the id by which AWS can find a call. A text of more than 60 characters is not a request id. */
export const requestIdOf = (
  { headers }: RawResponse,
  redact: (text: string) => string
): string | undefined => {
  const id =
    headers["x-amzn-requestid"] ?? headers["x-amzn-request-id"] ?? headers["x-amz-request-id"]
  if (id === undefined || id.length > 60) return undefined
  // a UUID is not a secret; skipping the search saves time on every response
  return uuid.test(id) ? id : redact(id)
}

const uuid = /^[\da-f]{8}(-[\da-f]{4}){3}-[\da-f]{12}$/i
