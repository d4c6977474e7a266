/** Connection failures that a retry cannot fix, by the codes of Node and undici. */

/**
 * Returns whether OpenSSL rejected the server's certificate. Node sends nothing over such a connection.
 *
 * @see https://nodejs.org/api/tls.html#x509-certificate-error-codes
 */
export const isCertificateError = (code: string): boolean =>
  /^(CERT_|CRL_|DEPTH_ZERO_|ERROR_IN_(CERT|CRL)_|SELF_SIGNED_CERT_|UNABLE_TO_(DE|GET_|VERIFY_)|(ERR_TLS_CERT_ALTNAME_INVALID|HOSTNAME_MISMATCH|INVALID_(CA|PURPOSE)|PATH_LENGTH_EXCEEDED|UNSPECIFIED)$)/.test(
    code
  )

/**
 * Returns whether Node or undici did not begin to send the request, because its headers or its path hold an invalid
 * character, such as a line break in a session token.
 */
export const isInvalidRequest = (code: string): boolean =>
  /^(ERR_INVALID_(CHAR|HTTP_TOKEN)|ERR_UNESCAPED_CHARACTERS|UND_ERR_INVALID_ARG)$/.test(code)
