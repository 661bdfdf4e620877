import { randomBytes } from 'node:crypto';
import { chmod, link, mkdir, open, readFile, rm, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { isNativeError } from 'node:util/types';
import { SecuError } from '../domain/errors.ts';
import { newKeyLine } from './key-ring.ts';

/**
 * Returns the text of the key file, which the first start creates with mode 0600. If sealed data exists, a missing
 * file is an error, because a new key could not open that data. Two concurrent starts get the same file.
 * @throws SecuError `key_unknown`
 */
export async function ensureKeyFile({
  path,
  sealedDataExists,
}: {
  path: string;
  sealedDataExists: boolean;
}): Promise<string> {
  const existing = await readKeyFile(path);
  if (existing !== null) return existing;
  if (sealedDataExists) {
    throw new SecuError(
      'key_unknown',
      'the key file is missing although sealed data exists; put it back from a backup, a new key cannot open that data',
    );
  }
  await writeOnce({ path, text: `${newKeyLine()}\n` });
  const created = await readKeyFile(path);
  if (created === null) throw new SecuError('internal', 'the key file disappeared while it was created');
  return created;
}

async function readKeyFile(path: string): Promise<string | null> {
  try {
    const { mode } = await stat(path);
    if ((mode & 0o077) !== 0) await chmod(path, 0o600);
    return await readFile(path, 'utf8');
  } catch (err) {
    if (isSystemError(err, 'ENOENT')) return null;
    throw err;
  }
}

/** Linking fails when the name exists, so no process reads a half-written file and an existing one is never replaced. */
async function writeOnce({ path, text }: { path: string; text: string }): Promise<void> {
  const folder = dirname(path);
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const draft = `${path}.${randomBytes(6).toString('hex')}`;
  try {
    await writeDurably({ path: draft, text });
    await link(draft, path);
  } catch (err) {
    if (!isSystemError(err, 'EEXIST')) throw err;
  } finally {
    await rm(draft, { force: true });
  }
  await syncFolder(folder);
}

async function writeDurably({ path, text }: { path: string; text: string }): Promise<void> {
  const file = await open(path, 'wx', 0o600);
  try {
    await file.writeFile(text);
    await file.sync();
  } finally {
    await file.close();
  }
}

async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

function isSystemError(err: unknown, code: string): boolean {
  return isNativeError(err) && 'code' in err && err.code === code;
}
