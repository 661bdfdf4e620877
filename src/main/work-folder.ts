import { existsSync } from 'node:fs';
import { mkdir, readdir, rm } from 'node:fs/promises';
import { hostname } from 'node:os';
import { join } from 'node:path';

/**
 * A folder of this worker's own for its clones, emptied. Folders that workers of this host left behind when they died
 * are removed; those of other hosts on a shared volume are not ours to judge.
 */
export async function ownWorkFolder(parent: string): Promise<{ workFolder: string; swept: number }> {
  await mkdir(parent, { recursive: true, mode: 0o700 });
  const host = hostname();
  let swept = 0;
  for (const name of await readdir(parent)) {
    const pid = Number(name.startsWith(`${host}.`) ? name.slice(host.length + 1) : Number.NaN);
    if (!Number.isInteger(pid) || (pid !== process.pid && existsSync(`/proc/${pid}`))) continue;
    swept += (await readdir(join(parent, name))).length;
    await rm(join(parent, name), { recursive: true, force: true });
  }
  const workFolder = join(parent, `${host}.${process.pid}`);
  await mkdir(workFolder, { recursive: true, mode: 0o700 });
  return { workFolder, swept };
}
