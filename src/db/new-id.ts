import { ulid } from 'ulid';
import type { IdKind } from '../domain/ids.ts';
import { ID_PREFIXES } from '../domain/ids.ts';

/** A new id of this kind; ids sort by the moment they were made (ULID, to the millisecond). */
export function newId(kind: IdKind): string {
  return `${ID_PREFIXES[kind]}_${ulid()}`;
}
