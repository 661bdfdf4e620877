import type { DeliveryCause, SendOutcome } from '../domain/channel.ts';
import { isSecuError } from '../domain/errors.ts';
import { errorCodesOf } from '../domain/system-error.ts';

const MAX_CAUSE_DEPTH = 5;

/** Error codes of Node, OpenSSL and undici with their meaning. The first match counts. */
const MEANINGS: ReadonlyArray<readonly [RegExp, DeliveryCause]> = [
  [/^(ENOTFOUND|ENODATA|ESERVFAIL|EDNS|EAI_\w+)$/, 'name_not_found'],
  [/^(ETIMEDOUT|ETIMEOUT|UND_ERR_\w*TIMEOUT|TimeoutError)$/, 'timed_out'],
  [
    /^(CERT_|ERR_TLS_|ERR_SSL_|ERR_OSSL_|EPROTO$|ETLS$|SELF_SIGNED_|DEPTH_ZERO_|UNABLE_TO_|INVALID_CA|PATH_LENGTH_|HOSTNAME_MISMATCH)/,
    'tls_failed',
  ],
  [/^(HTTPParserError$|HPE_|UND_ERR_HEADERS_OVERFLOW|EPROTOCOL$)/, 'reply_unreadable'],
];

/**
 * Names why there is no answer. The original error is dropped, because libraries attach requests, with their
 * headers, to it.
 */
export function transportFailure(err: unknown): SendOutcome {
  return { sent: false, cause: causeOf(err), status: null, final: false };
}

function causeOf(err: unknown): DeliveryCause {
  if (isAddressRefusal(err)) return 'address_refused';
  const codes = errorCodesOf(err);
  for (const [pattern, cause] of MEANINGS) if (codes.some((code) => pattern.test(code))) return cause;
  return 'connection_failed';
}

function isAddressRefusal(err: unknown, depth = 0): boolean {
  if (isSecuError(err, 'origin_not_allowed')) return true;
  if (typeof err !== 'object' || err === null || depth > MAX_CAUSE_DEPTH) return false;
  return 'cause' in err && isAddressRefusal(err.cause, depth + 1);
}
