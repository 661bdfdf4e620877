import { createHash } from 'node:crypto';
import { Migration0001Schema, SCHEMA_STATEMENTS } from './migration-0001-schema.ts';

/** All migrations in the order in which they run. Only forward; a released one is never changed. */
export const MIGRATIONS = [
  { name: named('migration-0001-ground', SCHEMA_STATEMENTS), class: Migration0001Schema },
];

/**
 * A migration is known by what it does: a database that an edited one had made before is another version's, and is
 * refused as such, in place of failing at the first table that it lacks.
 */
function named(name: string, statements: readonly string[]): string {
  return `${name}-${createHash('sha256').update(statements.join('\n')).digest('hex').slice(0, 8)}`;
}
