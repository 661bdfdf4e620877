import { randomFillSync } from 'node:crypto';
import { monotonicFactory } from 'ulid';
import type { IdKind } from '../domain/ids.ts';
import { ID_PREFIXES } from '../domain/ids.ts';

/** The library would ask the system for each of its sixteen random bytes, and a listing makes an id per row. */
const pool = Buffer.alloc(16 * 1024);
let used = pool.length;

/** A number in [0, 1) from the random source of the system. */
function nextRandom(): number {
  if (used === pool.length) {
    randomFillSync(pool);
    used = 0;
  }
  const byte = pool.readUInt8(used);
  used += 1;
  return byte / 256;
}

const nextUlid = monotonicFactory(nextRandom);

/** A new id of this kind. Ids of one process sort by creation, also within a millisecond. */
export function newId(kind: IdKind): string {
  return `${ID_PREFIXES[kind]}_${nextUlid()}`;
}
