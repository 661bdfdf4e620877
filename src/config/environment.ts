import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseEnv } from 'node:util';

/** Environment variables by name. */
export type Environment = Readonly<Record<string, string | undefined>>;

/** The environment of the process, plus `.env` in the current folder. Variables that are already set win, as in Node. */
export function readEnvironment({
  folder = process.cwd(),
  env = process.env,
}: {
  folder?: string;
  env?: Environment;
} = {}): Environment {
  return { ...parseEnv(readDotEnv(join(folder, '.env'))), ...env };
}

/** Only the environment of the process. */
export function readProcessEnvironment(): Environment {
  return process.env;
}

function readDotEnv(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (err) {
    if (typeof err === 'object' && err !== null && 'code' in err && err.code === 'ENOENT') return '';
    throw err;
  }
}
