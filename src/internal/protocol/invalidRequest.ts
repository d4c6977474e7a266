/**
 * Whether a failure is that of a request that Node or undici does not begin to send: its headers or its path hold what
 * none may, such as a line break from a session token.
 */
export const isInvalidRequest = (reason: string): boolean =>
  /^(ERR_INVALID_(CHAR|HTTP_TOKEN)|ERR_UNESCAPED_CHARACTERS|UND_ERR_INVALID_ARG)$/.test(reason)
