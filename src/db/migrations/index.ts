import { createHash } from 'node:crypto';
import { Migration0001Schema, SCHEMA_STATEMENTS } from './migration-0001-schema.ts';
import { BOUNDED_RETRIES_STATEMENTS, Migration0002BoundedRetries } from './migration-0002-bounded-retries.ts';
import { Migration0003ScanCoverage, SCAN_COVERAGE_STATEMENTS } from './migration-0003-scan-coverage.ts';
import { HISTORY_STATEMENTS, Migration0004History } from './migration-0004-history.ts';
import { DELTA_SYNC_STATEMENTS, Migration0005DeltaSyncs } from './migration-0005-delta-syncs.ts';
import { HOOK_STATEMENTS, Migration0006Hooks } from './migration-0006-hooks.ts';
import { HINTED_PROJECT_STATEMENTS, Migration0007HintedProjects } from './migration-0007-hinted-projects.ts';

/**
 * All migrations in the order in which they run. Only forward; a released one is never changed. The first keeps the name
 * under which databases recorded it.
 */
export const MIGRATIONS = [
  { name: named('migration-0001-ground', SCHEMA_STATEMENTS), class: Migration0001Schema },
  {
    name: named('migration-0002-bounded-retries', BOUNDED_RETRIES_STATEMENTS),
    class: Migration0002BoundedRetries,
  },
  { name: named('migration-0003-scan-coverage', SCAN_COVERAGE_STATEMENTS), class: Migration0003ScanCoverage },
  { name: named('migration-0004-history', HISTORY_STATEMENTS), class: Migration0004History },
  { name: named('migration-0005-delta-syncs', DELTA_SYNC_STATEMENTS), class: Migration0005DeltaSyncs },
  { name: named('migration-0006-hooks', HOOK_STATEMENTS), class: Migration0006Hooks },
  {
    name: named('migration-0007-hinted-projects', HINTED_PROJECT_STATEMENTS),
    class: Migration0007HintedProjects,
  },
];

/**
 * A migration is known by what it does: a database that an edited one had made before is another version's, and is
 * refused as such, in place of failing at the first table that it lacks.
 */
function named(name: string, statements: readonly string[]): string {
  return `${name}-${createHash('sha256').update(statements.join('\n')).digest('hex').slice(0, 8)}`;
}
