import { createHash } from 'node:crypto';
import type { SealContext } from '../domain/sealed-secret.ts';
import { KEY_BYTES, NONCE_BYTES, TAG_BYTES, unreadable } from './aes-gcm.ts';
import { lengthPrefixed } from './length-prefixed.ts';

const FORMAT = 1;
const AES_256_GCM = 1;
const KEY_MARK_BYTES = 8;
const LENGTH_BYTES = 4;
/** Plaintexts are padded to a multiple of this, so that a record does not reveal the length of a token. */
export const PADDING_BYTES = 512;
/**
 * Max length of a sealed text: tokens and keys, never files (node-forge would block the process for long).
 */
export const MAX_SECRET_BYTES = 16_384;

/** `format(1) | algorithm(1) | keyMark(8) | wrapNonce(12) | wrappedDek(32) | wrapTag(16) | nonce(12) | ct(n) | tag(16)` */
export interface SealedRecord {
  keyMark: Buffer;
  wrapNonce: Buffer;
  wrappedDek: Buffer;
  wrapTag: Buffer;
  nonce: Buffer;
  ciphertext: Buffer;
  tag: Buffer;
}

const FIXED_SIZES = [KEY_MARK_BYTES, NONCE_BYTES, KEY_BYTES, TAG_BYTES, NONCE_BYTES] as const;
const OVERHEAD_BYTES = 2 + FIXED_SIZES.reduce((sum, size) => sum + size, 0) + TAG_BYTES;

export function encodeRecord(parts: SealedRecord): Buffer {
  return Buffer.concat([
    Buffer.from([FORMAT, AES_256_GCM]),
    parts.keyMark,
    parts.wrapNonce,
    parts.wrappedDek,
    parts.wrapTag,
    parts.nonce,
    parts.ciphertext,
    parts.tag,
  ]);
}

/** @throws SecuError `secret_unreadable` for any other length, format or algorithm, before anything is decrypted */
export function decodeRecord(record: Buffer): SealedRecord {
  const textBytes = record.length - OVERHEAD_BYTES;
  if (textBytes < PADDING_BYTES || textBytes % PADDING_BYTES !== 0) throw unreadable();
  if (record[0] !== FORMAT || record[1] !== AES_256_GCM) throw unreadable();
  let offset = 2;
  const take = (size: number): Buffer => {
    offset += size;
    return record.subarray(offset - size, offset);
  };
  return {
    keyMark: take(KEY_MARK_BYTES),
    wrapNonce: take(NONCE_BYTES),
    wrappedDek: take(KEY_BYTES),
    wrapTag: take(TAG_BYTES),
    nonce: take(NONCE_BYTES),
    ciphertext: take(textBytes),
    tag: take(TAG_BYTES),
  };
}

/** Identifies a key inside a record; the full id is stored next to the record. */
export function keyMarkOf(keyId: string): Buffer {
  return createHash('sha256').update(keyId, 'utf8').digest().subarray(0, KEY_MARK_BYTES);
}

export function pad(plaintext: Buffer): Buffer {
  const needed = LENGTH_BYTES + plaintext.length;
  const padded = Buffer.alloc(Math.ceil(needed / PADDING_BYTES) * PADDING_BYTES);
  padded.writeUInt32BE(plaintext.length);
  plaintext.copy(padded, LENGTH_BYTES);
  return padded;
}

/** @throws SecuError `secret_unreadable` */
export function unpad(padded: Buffer): Buffer {
  const length = padded.readUInt32BE();
  if (LENGTH_BYTES + length > padded.length) throw unreadable();
  return padded.subarray(LENGTH_BYTES, LENGTH_BYTES + length);
}

/**
 * The context that a data key is bound to: its place and the key that wraps it. The secret itself is bound to its
 * place and, because that data key seals it, to all of this.
 */
export function wrapAad({ context, keyId }: { context: SealContext; keyId: string }): Buffer {
  return lengthPrefixed([...placeOf(context), 'dek', keyId]);
}

/** Without the key id, so that another key can wrap the data key while the secret stays sealed. */
export function secretAad(context: SealContext): Buffer {
  return lengthPrefixed([...placeOf(context), 'secret']);
}

function placeOf(context: SealContext): string[] {
  const { table, column = 'secret', rowId, version } = context;
  return ['secu', String(FORMAT), table, column, rowId, String(version)];
}
