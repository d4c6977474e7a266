/**
 * Whether this is what OpenSSL, by the names that Node gives its codes, has against a server's certificate. Node never
 * sends anything over such a connection, and a person has to change something before it would.
 *
 * @see https://nodejs.org/api/tls.html#x509-certificate-error-codes
 */
export const isCertificateError = (code: string): boolean =>
  /^(CERT_|CRL_|DEPTH_ZERO_|ERROR_IN_(CERT|CRL)_|SELF_SIGNED_CERT_|UNABLE_TO_(DE|GET_|VERIFY_)|(ERR_TLS_CERT_ALTNAME_INVALID|HOSTNAME_MISMATCH|INVALID_(CA|PURPOSE)|PATH_LENGTH_EXCEEDED|UNSPECIFIED)$)/.test(
    code
  )
