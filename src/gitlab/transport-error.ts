import type { SecuErrorCode } from '../domain/errors.ts';
import { isSecuError, SecuError } from '../domain/errors.ts';
import type { GitlabProblem } from '../domain/gitlab-problem.ts';
import { errorCodesOf } from '../domain/system-error.ts';
import type { RequestTarget } from './answer.ts';

const MAX_CAUSE_DEPTH = 5;

interface Named {
  code: SecuErrorCode;
  problem: GitlabProblem;
  says: string;
}

/** Error codes of Node, OpenSSL and undici with their meaning. The first match counts. */
const MEANINGS: ReadonlyArray<readonly [RegExp, Named]> = [
  [
    /^(ESERVFAIL|ETIMEOUT|EAI_AGAIN)$/,
    named('gitlab_unreachable', 'dns_no_answer', 'no DNS server answers for its name'),
  ],
  [
    /^(ENOTFOUND|ENODATA|EAI_\w+)$/,
    named('gitlab_unreachable', 'dns_name_not_found', 'its name does not resolve'),
  ],
  [/^ECONNREFUSED$/, named('gitlab_unreachable', 'connection_refused', 'the connection was refused')],
  [
    /^(EHOSTUNREACH|ENETUNREACH|EADDRNOTAVAIL|ENETDOWN|EHOSTDOWN)$/,
    named('gitlab_unreachable', 'no_route', 'there is no route to it'),
  ],
  [
    /^(ETIMEDOUT|UND_ERR_\w*TIMEOUT|TimeoutError)$/,
    named('gitlab_unreachable', 'timeout', 'it did not answer in time'),
  ],
  [
    /^CERT_HAS_EXPIRED$/,
    named('gitlab_tls_failed', 'tls_certificate_expired', 'its certificate has expired'),
  ],
  [
    /^CERT_NOT_YET_VALID$/,
    named('gitlab_tls_failed', 'tls_certificate_not_yet_valid', 'its certificate is not valid yet'),
  ],
  [
    /^(ERR_TLS_CERT_ALTNAME_INVALID|HOSTNAME_MISMATCH)$/,
    named('gitlab_tls_failed', 'tls_certificate_wrong_host', 'its certificate is for another host'),
  ],
  [
    /^DEPTH_ZERO_SELF_SIGNED_CERT$/,
    named('gitlab_tls_failed', 'tls_certificate_self_signed', 'its certificate signs itself'),
  ],
  [
    /^(ERR_SSL_|ERR_OSSL_)?(WRONG_VERSION_NUMBER|PACKET_LENGTH_TOO_LONG|HTTP_REQUEST)$/,
    named('gitlab_tls_failed', 'tls_not_spoken', 'it does not speak TLS'),
  ],
  [
    /^(SELF_SIGNED_|DEPTH_ZERO_|UNABLE_TO_|CERT_UNTRUSTED|INVALID_CA)/,
    named(
      'gitlab_tls_failed',
      'tls_certificate_untrusted',
      'its certificate is not signed by a root that we trust',
    ),
  ],
  [
    /^(CERT_|ERR_TLS_|ERR_SSL_|ERR_OSSL_|EPROTO|PATH_LENGTH_)/,
    named('gitlab_tls_failed', 'tls_handshake_failed', 'no secure connection came about'),
  ],
  [
    /^(HTTPParserError$|HPE_|Z_|UND_ERR_HEADERS_OVERFLOW|ERR_ENCODING_)/,
    named('gitlab_reply_unreadable', 'malformed_reply', 'its answer is not well-formed'),
  ],
  [/^UND_ERR_ABORTED$/, named('gitlab_unreachable', 'proxy_refused', 'the proxy refused the connection')],
  [
    /^(ECONNRESET|ECONNABORTED|EPIPE|UND_ERR_SOCKET|UND_ERR_RES_CONTENT_LENGTH_MISMATCH|UND_ERR_CLOSED|UND_ERR_DESTROYED)$/,
    named('gitlab_unreachable', 'connection_reset', 'the connection was cut'),
  ],
];

/**
 * Names why there is no answer. The original error is dropped, because libraries attach sockets, requests and
 * certificates to it.
 */
export function transportError(err: unknown, target: RequestTarget): SecuError {
  if (isAddressRefusal(err)) {
    return failure(
      named('gitlab_unreachable', 'address_refused', 'the address it resolves to may not be connected to'),
      target,
      null,
    );
  }
  const codes = errorCodesOf(err);
  for (const [pattern, meaning] of MEANINGS) {
    const code = codes.find((candidate) => pattern.test(candidate));
    if (code !== undefined) return failure(meaning, target, code);
  }
  return failure(
    named('gitlab_unreachable', 'connection_failed', 'the connection failed'),
    target,
    codes[0] ?? null,
  );
}

function failure(
  { code, problem, says }: Named,
  target: RequestTarget,
  systemCode: string | null,
): SecuError {
  return new SecuError(code, `${target.method} ${target.endpoint} at ${target.host}: ${says}`, {
    details: { problem, ...(systemCode === null ? {} : { systemCode }) },
  });
}

function named(code: SecuErrorCode, problem: GitlabProblem, says: string): Named {
  return { code, problem, says };
}

function isAddressRefusal(err: unknown, depth = 0): boolean {
  if (isSecuError(err, 'origin_not_allowed')) return true;
  if (typeof err !== 'object' || err === null || depth > MAX_CAUSE_DEPTH) return false;
  return 'cause' in err && isAddressRefusal(err.cause, depth + 1);
}
