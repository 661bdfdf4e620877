import { createHash, randomBytes } from 'node:crypto';
import type { Database } from '../../db/database.ts';
import { SETUP_CODE_MS } from '../../domain/user.ts';

const CODE_BYTES = 16;

export interface SetupLink {
  /** The code is in the fragment, which browsers do not send and servers do not log. */
  url: string;
  expiresAt: Date;
}

export function hashOfSetupCode(code: string): string {
  return createHash('sha256').update(code).digest('hex');
}

/**
 * Creates a link for the first administrator. It works once, within 15 minutes; earlier links expire.
 * @returns `null` when an administrator exists
 */
export async function createSetupLink(input: {
  database: Database;
  publicUrl: string;
  now: Date;
  actor: string;
  data?: Record<string, unknown>;
}): Promise<SetupLink | null> {
  const { database, publicUrl, now, actor, data = {} } = input;
  const code = randomBytes(CODE_BYTES).toString('base64url');
  const expiresAt = new Date(now.getTime() + SETUP_CODE_MS);
  return database.transaction(async (tx) => {
    if (await tx.users.hasAdministrator()) return null;
    await tx.setupCodes.replace({ hash: hashOfSetupCode(code), expiresAt });
    const text = 'A link for the first administrator was created.';
    await tx.events.add([{ kind: 'auth.setup_link_made', integrationId: null, actor, text, data }], now);
    return { url: `${publicUrl}/setup#${code}`, expiresAt };
  });
}
