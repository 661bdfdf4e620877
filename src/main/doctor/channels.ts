import { openDatabase } from '../../db/database.ts';
import type { DoctorPart } from './part.ts';
import { part } from './part.ts';

const ADVICE = 'Create a channel: docs/how-to/set-up-alerts.md.';

/**
 * Checks that a channel sends expiry alerts for every integration. `databaseUrl` is null for an embedded database that is
 * not running; `mail` says whether a mail server is configured.
 */
export async function examineChannels(input: {
  databaseUrl: string | null;
  mail: boolean;
}): Promise<DoctorPart> {
  const { databaseUrl, mail } = input;
  if (databaseUrl === null) return part('channels', { detail: 'checked while "secu up" is running' });
  const database = await openDatabase({ url: databaseUrl, poolMax: 1 });
  try {
    const { allIntegrations, integrations } = await database.stores.channels.expiryAlertGaps({ mail });
    if (allIntegrations) {
      const detail = 'no channel sends expiry alerts';
      return part('channels', { status: 'warning', detail, advice: ADVICE });
    }
    if (integrations.length === 0)
      return part('channels', { detail: 'expiry alerts are sent for every token' });
    const names = integrations.map(({ id }) => id).join(', ');
    const detail = `no channel sends expiry alerts for: ${names}`;
    return part('channels', { status: 'warning', detail, advice: ADVICE });
  } catch {
    return part('channels', {
      status: 'warning',
      detail: 'unknown: the database does not respond as this version expects',
      advice: 'Fix "postgresql" and "migrations" first.',
    });
  } finally {
    await database.close();
  }
}
