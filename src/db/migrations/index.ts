import { createHash } from 'node:crypto';
import { GROUND_STATEMENTS, Migration0001Ground } from './migration-0001-ground.ts';

/** All migrations in the order in which they run. Only forward; a released one is never changed. */
export const MIGRATIONS = [
  { name: named('migration-0001-ground', GROUND_STATEMENTS), class: Migration0001Ground },
];

/**
 * A migration is known by what it does: a database that an edited one had made before is another version's, and is
 * refused as such, in place of failing at the first table that it lacks.
 */
function named(name: string, statements: readonly string[]): string {
  return `${name}-${createHash('sha256').update(statements.join('\n')).digest('hex').slice(0, 8)}`;
}
