import { randomBytes } from 'node:crypto';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

function fileOf(home: string): string {
  return join(home, 'keys', 'cli.key');
}

/** The API key of the command line in an embedded installation; `null` if there is none. */
export function cliKeyOf(home: string): string | null {
  const file = fileOf(home);
  return existsSync(file) ? readFileSync(file, 'utf8').trim() : null;
}

/** Creates the key if it is missing, readable only by the user that runs Secu. */
export function ensureCliKey(home: string): string {
  const there = cliKeyOf(home);
  if (there !== null) return there;
  const value = `secu_${randomBytes(32).toString('base64url')}`;
  writeFileSync(fileOf(home), `${value}\n`, { mode: 0o600 });
  return value;
}
