import { SecuError } from '../domain/errors.ts';

export const KEY_BYTES = 32;
export const NONCE_BYTES = 12;
export const TAG_BYTES = 16;

export interface SealInput {
  key: Buffer;
  nonce: Buffer;
  aad: Buffer;
  plaintext: Buffer;
}

export interface OpenInput {
  key: Buffer;
  nonce: Buffer;
  aad: Buffer;
  ciphertext: Buffer;
  tag: Buffer;
}

/**
 * AES-GCM with 16-byte tags, as a library provides it. If the data is not authentic, `open` returns `null` and
 * none of the text.
 */
export interface AesGcmProvider {
  seal(input: SealInput): { ciphertext: Buffer; tag: Buffer };
  open(input: OpenInput): Buffer | null;
}

/** AES-256-GCM, restricted to the sizes that Secu uses. */
export interface Cipher {
  seal(input: SealInput): { ciphertext: Buffer; tag: Buffer };
  /** @throws SecuError `secret_unreadable`, with the same text for every cause */
  open(input: OpenInput): Buffer;
}

/**
 * Checks for 32-byte keys, 12-byte nonces and 16-byte tags before it calls the library, and throws if the tag is
 * wrong. This removes the differences between the providers: node-forge accepts an empty nonce (Wycheproof
 * 311–316), node:crypto refuses very long ones.
 */
export function strictCipher(provider: AesGcmProvider): Cipher {
  return {
    seal(input) {
      if (!hasExactSizes(input)) throw new SecuError('internal', 'wrong key or nonce size for AES-256-GCM');
      return provider.seal(input);
    },
    open(input) {
      const plaintext = hasExactSizes(input) && input.tag.length === TAG_BYTES ? provider.open(input) : null;
      if (plaintext === null) throw unreadable();
      return plaintext;
    },
  };
}

function hasExactSizes({ key, nonce }: { key: Buffer; nonce: Buffer }): boolean {
  return key.length === KEY_BYTES && nonce.length === NONCE_BYTES;
}

/** The same text for every failure, so that an answer does not reveal which part is wrong. */
export function unreadable(): SecuError {
  return new SecuError('secret_unreadable', 'a sealed record does not open: it was changed, cut or moved');
}
