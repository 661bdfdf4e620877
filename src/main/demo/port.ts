import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { persistentPort } from '../../embedded/home.ts';

const DEFAULT_PORT = 8080;

/** The port that this home folder used before; otherwise 8080 if it is free; otherwise any free port. */
export async function demoPort(home: string): Promise<number> {
  mkdirSync(home, { recursive: true, mode: 0o700 });
  const file = join(home, 'api.port');
  if (!existsSync(file)) writeFileSync(file, `${DEFAULT_PORT}\n`, { mode: 0o600 });
  return persistentPort(file);
}
