import { randomBytes } from 'node:crypto';
import { SecuError } from '../domain/errors.ts';
import { KEY_BYTES } from './aes-gcm.ts';

/**
 * The key-encryption keys of an installation. The first key seals, all keys open. Its properties
 * contain no key bytes.
 */
export interface KeyRing {
  /** The id of the key that seals. */
  readonly sealingKeyId: string;
  readonly keyIds: readonly string[];
  /** @throws SecuError `key_unknown` */
  keyOf(keyId: string): Buffer;
}

const KEY_LINE = /^([A-Za-z0-9][A-Za-z0-9._-]{0,63}):([A-Za-z0-9+/]{43}=)$/;

/**
 * Reads a key ring: one `id:base64(32 bytes)` per line. Skips blank lines and lines that begin with `#`.
 * @throws SecuError `invalid_settings`, naming the line's number and never its text
 */
export function parseKeyRing(text: string): KeyRing {
  const keys = new Map<string, Buffer>();
  for (const [index, raw] of text.split(/\r?\n/).entries()) {
    const line = raw.trim();
    if (line === '' || line.startsWith('#')) continue;
    const [, id, base64] = KEY_LINE.exec(line) ?? [];
    if (id === undefined || base64 === undefined) {
      throw badRing(
        `line ${index + 1} is not "id:base64" with 32 bytes, for example made by "secu keyring add"`,
      );
    }
    if (keys.has(id)) throw badRing(`line ${index + 1} repeats the id of an earlier line`);
    keys.set(id, Buffer.from(base64, 'base64'));
  }
  const [sealingKeyId] = keys.keys();
  if (sealingKeyId === undefined) throw badRing('it holds no key');
  return {
    sealingKeyId,
    keyIds: [...keys.keys()],
    keyOf(keyId) {
      const key = keys.get(keyId);
      if (key === undefined) throw unknownKeys([keyId]);
      return key;
    },
  };
}

/** A new line for a key ring: an unused id and 32 random bytes. */
export function newKeyLine(): string {
  return `key-${randomBytes(4).toString('hex')}:${randomBytes(KEY_BYTES).toString('base64')}`;
}

/**
 * Checks at start that the ring holds every key that stored data was sealed with.
 * @throws SecuError `key_unknown`, naming the missing ids
 */
export function assertKeysKnown({
  keyRing,
  keyIdsInUse,
}: {
  keyRing: KeyRing;
  keyIdsInUse: Iterable<string>;
}): void {
  const known = new Set(keyRing.keyIds);
  const missing = [...new Set(keyIdsInUse)].filter((keyId) => !known.has(keyId));
  if (missing.length > 0) throw unknownKeys(missing);
}

function badRing(problem: string): SecuError {
  return new SecuError('invalid_settings', `the key ring cannot be used: ${problem}`);
}

function unknownKeys(keyIds: readonly string[]): SecuError {
  return new SecuError(
    'key_unknown',
    `stored data needs keys that the key ring does not hold: ${keyIds.join(', ')}; add them to SECU_KEYS`,
    { details: { keyIds } },
  );
}
