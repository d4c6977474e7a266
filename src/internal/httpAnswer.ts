/** An answer as it came over HTTP, and what it tells of itself before anyone reads its body. */

/** An HTTP answer, header names in lower case. */
export interface HttpAnswer {
  readonly status: number
  readonly headers: { readonly [name: string]: string | undefined }
  readonly body: string
}

/** What every answer and every error of the service carries. */
export const about = (answer: HttpAnswer, conceal: (text: string) => string) => {
  const requestId = requestIdOf(answer, conceal)
  return { statusCode: answer.status, ...(requestId !== undefined && { requestId }) }
}

/** The id by which AWS can find a call. What is longer than such an id is something else. */
export const requestIdOf = (
  { headers }: HttpAnswer,
  conceal: (text: string) => string
): string | undefined => {
  const id =
    headers["x-amzn-requestid"] ?? headers["x-amzn-request-id"] ?? headers["x-amz-request-id"]
  if (id === undefined || id.length > 60) return undefined
  // every answer has one, and a UUID is nobody's secret: there is nothing to search it for
  return uuid.test(id) ? id : conceal(id)
}

const uuid = /^[\da-f]{8}(-[\da-f]{4}){3}-[\da-f]{12}$/i
