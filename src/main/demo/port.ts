import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { keptPort } from '../../embedded/home.ts';

const USUAL_PORT = 8080;

/** The port that this home used before, else 8080 where it is free, else any. */
export async function demoPort(home: string): Promise<number> {
  mkdirSync(home, { recursive: true, mode: 0o700 });
  const file = join(home, 'api.port');
  if (!existsSync(file)) writeFileSync(file, `${USUAL_PORT}\n`, { mode: 0o600 });
  return keptPort(file);
}
