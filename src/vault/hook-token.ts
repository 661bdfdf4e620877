import { createHash, createHmac, timingSafeEqual } from 'node:crypto';
import type { Secret } from '../domain/secret.ts';

const PREFIX = 'whsec_';

/** Compares in constant time: the hashes have the same length, whatever was sent. */
export function isHookToken({ token, given }: { token: Secret; given: string }): boolean {
  return timingSafeEqual(sha256(token.reveal()), sha256(given));
}

/**
 * Checks a signature over `id.timestamp.body` while the body is read in pieces.
 * @see Standard Webhooks 1.0; GitLab docs, "Webhooks", signing token
 */
export function createSignatureCheck({
  token,
  id,
  timestamp,
}: {
  token: Secret;
  id: string;
  timestamp: string;
}) {
  const key = Buffer.from(token.reveal().slice(PREFIX.length), 'base64');
  const hmac = createHmac('sha256', key).update(`${id}.${timestamp}.`);
  return {
    update(chunk: Uint8Array): void {
      hmac.update(chunk);
    },
    /** @param signatures the header: `v1,<base64>`, several with spaces between them while a token is rotated */
    matchesAny(signatures: string): boolean {
      const expected = sha256(`v1,${hmac.digest('base64')}`);
      return signatures.split(' ').some((signature) => timingSafeEqual(sha256(signature), expected));
    },
  };
}

function sha256(text: string): Buffer {
  return createHash('sha256').update(text, 'utf8').digest();
}
