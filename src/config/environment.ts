import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseEnv } from 'node:util';

/** Variables of the environment, by name. */
export type Environment = Readonly<Record<string, string | undefined>>;

/** The process's environment, with what `.env` in the folder adds; what is set already wins, as in Node's own loader. */
export function readEnvironment({
  folder = process.cwd(),
  env = process.env,
}: {
  folder?: string;
  env?: Environment;
} = {}): Environment {
  return { ...parseEnv(readDotEnv(join(folder, '.env'))), ...env };
}

/** The process's environment alone. */
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
