import { openDatabase } from '../../db/database.ts';
import type { DoctorPart } from './part.ts';
import { part } from './part.ts';

/** Checks that the schema matches this version. `databaseUrl` is null for an embedded database that is not running. */
export async function examineMigrations(databaseUrl: string | null): Promise<DoctorPart> {
  if (databaseUrl === null) return part('migrations', { detail: '"secu up" updates the schema' });
  const database = await openDatabase({ url: databaseUrl, poolMax: 1 });
  try {
    const { pending, unknown } = await database.schemaState();
    if (unknown.length > 0) {
      return part('migrations', {
        status: 'failed',
        detail: `another version of Secu changed the schema: ${unknown.join(', ')}`,
        advice: 'Start that version, or restore a backup of this one.',
      });
    }
    if (pending.length > 0) {
      return part('migrations', {
        status: 'failed',
        detail: `not run yet: ${pending.join(', ')}`,
        advice: 'Run "secu migrate".',
      });
    }
    return part('migrations', { detail: 'the schema matches this version' });
  } catch {
    return part('migrations', {
      status: 'warning',
      detail: 'unknown: the database does not respond',
      advice: 'Fix "postgresql" first.',
    });
  } finally {
    await database.close();
  }
}
