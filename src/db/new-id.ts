import { randomFillSync } from 'node:crypto';
import { ulid } from 'ulid';
import type { IdKind } from '../domain/ids.ts';
import { ID_PREFIXES } from '../domain/ids.ts';

/** A new id of this kind; ids sort by the moment they were made (ULID, to the millisecond). */
export function newId(kind: IdKind): string {
  return `${ID_PREFIXES[kind]}_${ulid(undefined, nextRandom)}`;
}

/** The library would ask the system for each of its sixteen bytes; a listing makes an id for each row. */
const pool = Buffer.alloc(16 * 1024);
let used = pool.length;

/** In [0, 1), as `Math.random`, from the system's source. */
function nextRandom(): number {
  if (used === pool.length) {
    randomFillSync(pool);
    used = 0;
  }
  const byte = pool.readUInt8(used);
  used += 1;
  return byte / 256;
}
