import { Migration0001Ground } from './migration-0001-ground.ts';

/** All migrations in the order in which they run. Only forward; a released one is never changed. */
export const MIGRATIONS = [{ name: 'migration-0001-ground', class: Migration0001Ground }];
