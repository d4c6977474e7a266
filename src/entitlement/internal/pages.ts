/** Reads pages until the last one, in constant memory. */
import * as Chunk from "effect/Chunk"
import * as Effect from "effect/Effect"
import type * as Option from "effect/Option"
import * as Stream from "effect/Stream"
import { isBlank } from "../../internal/schema/responseFields.js"
import type { Entitlement } from "../Entitlement.js"
import { PaginationError } from "../EntitlementError.js"
import {
  GetEntitlementsRequest,
  type GetEntitlementsResponse,
  operation
} from "../GetEntitlements.js"

/** Maximum number of empty pages in a row. A filter can leave many pages of a large product empty. */
export const maxEmptyPages = 10_000

interface Position {
  readonly request: GetEntitlementsRequest
  /** The number of pages that were read. */
  readonly pages: number
  readonly emptyPages: number
  /**
   * The token that later tokens are compared with. It is replaced after 1, 2, 4, ... pages, so that every cycle is found
   * (Brent's algorithm).
   */
  readonly reference: string | undefined
  readonly referencePages: number
  readonly pagesSinceReference: number
}

/** Returns the position of the next page, or `None` after the last page. */
const nextPosition = (
  position: Position,
  { entitlements, nextToken }: GetEntitlementsResponse
): Effect.Effect<Option.Option<Position>, PaginationError> => {
  if (nextToken === undefined || isBlank(nextToken)) return Effect.succeedNone
  const pages = position.pages + 1
  const fail = (reason: PaginationError["reason"]) =>
    Effect.fail(new PaginationError({ operation: operation.name, reason, pages }))
  if (nextToken === position.reference) return fail("repeatedToken")
  const emptyPages = entitlements.length === 0 ? position.emptyPages + 1 : 0
  if (emptyPages >= maxEmptyPages) return fail("emptyPages")
  const isReference = position.pagesSinceReference === position.referencePages
  return Effect.succeedSome({
    request: new GetEntitlementsRequest(
      { ...position.request, nextToken },
      { disableValidation: true }
    ),
    pages,
    emptyPages,
    reference: isReference ? nextToken : position.reference,
    referencePages: isReference ? 2 * position.referencePages : position.referencePages,
    pagesSinceReference: isReference ? 1 : position.pagesSinceReference + 1
  })
}

export const pagesOf = <E, R>(
  request: GetEntitlementsRequest,
  getPage: (request: GetEntitlementsRequest) => Effect.Effect<GetEntitlementsResponse, E, R>
): Stream.Stream<Entitlement, E | PaginationError, R> => {
  const first: Position = {
    request,
    pages: 0,
    emptyPages: 0,
    reference: request.nextToken,
    referencePages: 1,
    pagesSinceReference: 1
  }
  return Stream.paginateChunkEffect(first, (position) =>
    Effect.gen(function* () {
      const page = yield* getPage(position.request)
      const next = yield* nextPosition(position, page)
      return [Chunk.unsafeFromArray(page.entitlements), next] as const
    })
  )
}
