import { openDatabase } from '../../db/database.ts';
import type { DoctorPart } from './part.ts';
import { part } from './part.ts';

const ADVICE = 'Make a channel: docs/how-to/be-told.md.';

/**
 * Whether somebody would be told that a token nears its end. `databaseUrl` null: an embedded database that does not run;
 * `mail`: a mail server is set.
 */
export async function examineChannels(input: {
  databaseUrl: string | null;
  mail: boolean;
}): Promise<DoctorPart> {
  const { databaseUrl, mail } = input;
  if (databaseUrl === null) return part('channels', { detail: 'looked at while "secu up" runs' });
  const database = await openDatabase({ url: databaseUrl, poolMax: 1 });
  try {
    const { allIntegrations, integrations } = await database.stores.channels.expiryAlertGaps({ mail });
    if (allIntegrations) {
      const detail = 'nobody is told when a token nears its end';
      return part('channels', { status: 'warning', detail, advice: ADVICE });
    }
    if (integrations.length === 0) return part('channels', { detail: 'somebody is told of every token' });
    const names = integrations.map(({ id }) => id).join(', ');
    const detail = `nobody is told when the token of these nears its end: ${names}`;
    return part('channels', { status: 'warning', detail, advice: ADVICE });
  } catch {
    return part('channels', {
      status: 'warning',
      detail: 'not known: the database does not answer as this version wants',
      advice: 'Mend "postgresql" and "migrations" first.',
    });
  } finally {
    await database.close();
  }
}
