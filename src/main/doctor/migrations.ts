import { openDatabase } from '../../db/database.ts';
import type { DoctorPart } from './part.ts';
import { part } from './part.ts';

/** Whether the schema fits this version. `databaseUrl` null: an embedded database that does not run. */
export async function examineMigrations(databaseUrl: string | null): Promise<DoctorPart> {
  if (databaseUrl === null) return part('migrations', { detail: '"secu up" brings the schema up to date' });
  const database = await openDatabase({ url: databaseUrl, poolMax: 1 });
  try {
    const { pending, unknown } = await database.schemaState();
    if (unknown.length > 0) {
      return part('migrations', {
        status: 'failed',
        detail: `another version of Secu was here: ${unknown.join(', ')}`,
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
    return part('migrations', { detail: 'the schema fits this version' });
  } catch {
    return part('migrations', {
      status: 'warning',
      detail: 'not known: the database does not answer',
      advice: 'Mend "postgresql" first.',
    });
  } finally {
    await database.close();
  }
}
