import type { KeyObject } from 'node:crypto';
import { createHmac, createSecretKey, randomBytes } from 'node:crypto';
import { isSecuError, SecuError } from '../domain/errors.ts';
import type { SealContext, SealedSecret } from '../domain/sealed-secret.ts';
import { Secret } from '../domain/secret.ts';
import type { Cipher } from './aes-gcm.ts';
import { KEY_BYTES, NONCE_BYTES, strictCipher, TAG_BYTES, unreadable } from './aes-gcm.ts';
import { forgeAesGcm } from './forge-aes-gcm.ts';
import type { KeyRing } from './key-ring.ts';
import { lengthPrefixed } from './length-prefixed.ts';
import { nodeAesGcm } from './node-aes-gcm.ts';
import {
  decodeRecord,
  encodeRecord,
  keyMarkOf,
  MAX_SECRET_BYTES,
  pad,
  secretAad,
  unpad,
  wrapAad,
} from './record.ts';

/** Both providers give the same bytes for the same input, so a change of provider never needs a migration. */
export type CipherProvider = 'forge' | 'node';

/** 32 random bytes for keyed hashes, as a key object that does not show its bytes when printed. */
export type DataKey = KeyObject;

export interface Vault {
  readonly sealingKeyId: string;
  /** @throws SecuError `invalid_request` for a text over 16 KiB or with a lone surrogate */
  seal(input: { context: SealContext; secret: Secret }): SealedSecret;
  /** @throws SecuError `secret_unreadable` | `key_unknown` */
  unseal(input: { context: SealContext; sealed: SealedSecret }): Secret;
  /**
   * Wraps the same secret with the key that seals now. Opens only its data key, never the secret.
   * @throws SecuError `secret_unreadable` | `key_unknown`
   */
  rewrap(input: { context: SealContext; sealed: SealedSecret }): SealedSecret;
  /**
   * A value to store once for each key. A later start uses it to check that the id still means the same key.
   */
  createKeyCheck(keyId: string): Buffer;
  /** @throws SecuError `key_unknown` when the ring has no such id, or another key under it */
  verifyKeyCheck(input: { keyId: string; check: Buffer }): void;
  newDataKey(): DataKey;
  sealDataKey(input: { name: string; dataKey: DataKey }): SealedSecret;
  /** @throws SecuError `secret_unreadable` | `key_unknown` */
  openDataKey(input: { name: string; sealed: SealedSecret }): DataKey;
}

/** Seals and unseals: key ring → data key (one for each sealed value) → secret. See the threat model in the docs. */
export function createVault({
  keyRing,
  provider,
  onSecret,
}: {
  keyRing: KeyRing;
  provider: CipherProvider;
  /** Receives every secret that is sealed or opened, so that the log can remove it. */
  onSecret: (secret: Secret) => void;
}): Vault {
  const cipher = strictCipher(provider === 'forge' ? forgeAesGcm : nodeAesGcm);
  const cipherAndKeys = { cipher, keyRing };
  return {
    sealingKeyId: keyRing.sealingKeyId,
    seal({ context, secret }) {
      onSecret(secret);
      return sealBytes({ ...cipherAndKeys, context, plaintext: bytesOf(secret) });
    },
    unseal({ context, sealed }) {
      const secret = new Secret(openBytes({ ...cipherAndKeys, context, sealed }).toString('utf8'));
      onSecret(secret);
      return secret;
    },
    rewrap: ({ context, sealed }) => rewrapRecord({ ...cipherAndKeys, context, sealed }),
    createKeyCheck: (keyId) => createKeyCheck({ ...cipherAndKeys, keyId }),
    verifyKeyCheck: ({ keyId, check }) => verifyKeyCheck({ ...cipherAndKeys, keyId, check }),
    newDataKey: () => createSecretKey(randomBytes(KEY_BYTES)),
    sealDataKey: ({ name, dataKey }) =>
      sealBytes({ ...cipherAndKeys, context: dataKeyContext(name), plaintext: dataKey.export() }),
    openDataKey: ({ name, sealed }) => {
      const bytes = openBytes({ ...cipherAndKeys, context: dataKeyContext(name), sealed });
      if (bytes.length !== KEY_BYTES) throw unreadable();
      return createSecretKey(bytes);
    },
  };
}

/** HMAC-SHA256 in hex. Hashes of the same text for different purposes differ. */
export function keyedHash({
  dataKey,
  purpose,
  text,
}: {
  dataKey: DataKey;
  purpose: string;
  text: string | Secret;
}): string {
  return createHmac('sha256', dataKey)
    .update(lengthPrefixed([purpose, plainOf(text)]))
    .digest('hex');
}

interface CipherAndKeys {
  cipher: Cipher;
  keyRing: KeyRing;
}

function plainOf(text: string | Secret): string {
  return text instanceof Secret ? text.reveal() : text;
}

function bytesOf(secret: Secret): Buffer {
  const text = plainOf(secret);
  if (!text.isWellFormed())
    throw new SecuError('invalid_request', 'a secret with half a character cannot be sealed');
  return Buffer.from(text, 'utf8');
}

function sealBytes({
  cipher,
  keyRing,
  context,
  plaintext,
}: CipherAndKeys & { context: SealContext; plaintext: Buffer }): SealedSecret {
  if (plaintext.length > MAX_SECRET_BYTES) {
    throw new SecuError(
      'invalid_request',
      `a secret of more than ${MAX_SECRET_BYTES} bytes cannot be sealed`,
    );
  }
  const dek = randomBytes(KEY_BYTES);
  const nonce = randomBytes(NONCE_BYTES);
  const text = cipher.seal({ key: dek, nonce, aad: secretAad(context), plaintext: pad(plaintext) });
  const wrapped = wrapDek({ cipher, keyRing, context, dek });
  dek.fill(0);
  return { keyId: keyRing.sealingKeyId, record: encodeRecord({ ...wrapped, nonce, ...text }) };
}

function openBytes({
  cipher,
  keyRing,
  context,
  sealed,
}: CipherAndKeys & { context: SealContext; sealed: SealedSecret }): Buffer {
  const { nonce, ciphertext, tag } = decodeRecord(sealed.record);
  const dek = unwrapDek({ cipher, keyRing, context, sealed });
  try {
    return unpad(cipher.open({ key: dek, nonce, aad: secretAad(context), ciphertext, tag }));
  } finally {
    dek.fill(0);
  }
}

function rewrapRecord({
  cipher,
  keyRing,
  context,
  sealed,
}: CipherAndKeys & { context: SealContext; sealed: SealedSecret }): SealedSecret {
  const dek = unwrapDek({ cipher, keyRing, context, sealed });
  const wrapped = wrapDek({ cipher, keyRing, context, dek });
  dek.fill(0);
  return {
    keyId: keyRing.sealingKeyId,
    record: encodeRecord({ ...decodeRecord(sealed.record), ...wrapped }),
  };
}

function wrapDek({ cipher, keyRing, context, dek }: CipherAndKeys & { context: SealContext; dek: Buffer }): {
  keyMark: Buffer;
  wrapNonce: Buffer;
  wrappedDek: Buffer;
  wrapTag: Buffer;
} {
  const keyId = keyRing.sealingKeyId;
  const wrapNonce = randomBytes(NONCE_BYTES);
  const { ciphertext, tag } = cipher.seal({
    key: keyRing.keyOf(keyId),
    nonce: wrapNonce,
    aad: wrapAad({ context, keyId }),
    plaintext: dek,
  });
  return { keyMark: keyMarkOf(keyId), wrapNonce, wrappedDek: ciphertext, wrapTag: tag };
}

function unwrapDek({
  cipher,
  keyRing,
  context,
  sealed,
}: CipherAndKeys & { context: SealContext; sealed: SealedSecret }): Buffer {
  const { keyMark, wrapNonce, wrappedDek, wrapTag } = decodeRecord(sealed.record);
  const key = keyRing.keyOf(sealed.keyId);
  if (!keyMark.equals(keyMarkOf(sealed.keyId))) throw unreadable();
  return cipher.open({
    key,
    nonce: wrapNonce,
    aad: wrapAad({ context, keyId: sealed.keyId }),
    ciphertext: wrappedDek,
    tag: wrapTag,
  });
}

function dataKeyContext(name: string): SealContext {
  return { table: 'data_key', rowId: name, version: 1 };
}

const CHECK_TEXT = Buffer.from('this key opens what it sealed');

function createKeyCheck({ cipher, keyRing, keyId }: CipherAndKeys & { keyId: string }): Buffer {
  const nonce = randomBytes(NONCE_BYTES);
  const aad = lengthPrefixed(['secu', 'key-check', keyId]);
  const sealed = cipher.seal({ key: keyRing.keyOf(keyId), nonce, aad, plaintext: CHECK_TEXT });
  return Buffer.concat([nonce, sealed.ciphertext, sealed.tag]);
}

function verifyKeyCheck({
  cipher,
  keyRing,
  keyId,
  check,
}: CipherAndKeys & { keyId: string; check: Buffer }): void {
  const key = keyRing.keyOf(keyId);
  try {
    const text = cipher.open({
      key,
      nonce: check.subarray(0, NONCE_BYTES),
      aad: lengthPrefixed(['secu', 'key-check', keyId]),
      ciphertext: check.subarray(NONCE_BYTES, -TAG_BYTES),
      tag: check.subarray(-TAG_BYTES),
    });
    if (text.equals(CHECK_TEXT)) return;
  } catch (err) {
    if (!isSecuError(err, 'secret_unreadable')) throw err;
  }
  throw new SecuError(
    'key_unknown',
    `the key "${keyId}" in the key ring is not the key that sealed this data; restore the key ring that was in use`,
    { details: { keyIds: [keyId] } },
  );
}
