import {
  chownSync,
  closeSync,
  fsyncSync,
  mkdirSync,
  openSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { SecuError } from '../domain/errors.ts';
import type { HomeLayout } from './home.ts';
import { dataArgument } from './postgres-user.ts';
import type { SystemUser } from './processes.ts';
import { forgetProcess, lastLines, startProcess } from './processes.ts';

/**
 * Creates the data folder under a temporary name and renames it when it is complete. After a killed `initdb`, the
 * next start replaces the temporary folder, so a folder named `data` is never removed.
 * @param options `durable`: whether to wait for the disk
 * @throws SecuError `embedded_failed`
 */
export async function initialiseCluster({
  layout,
  programs,
  user,
  admin,
  password,
  durable,
}: {
  layout: HomeLayout;
  programs: string;
  user: SystemUser | undefined;
  admin: string;
  password: string;
  durable: boolean;
}): Promise<void> {
  const newData = join(layout.postgres, 'data.new');
  const passwordFile = join(layout.postgres, 'password.new');
  rmSync(newData, { recursive: true, force: true });
  mkdirSync(newData, { mode: 0o700 });
  writeFileSync(passwordFile, password, { mode: 0o600 });
  if (user !== undefined) {
    chownSync(newData, user.uid, user.gid);
    chownSync(passwordFile, user.uid, user.gid);
  }
  const spec = {
    name: 'initdb',
    command: join(programs, 'initdb'),
    args: [
      `--pgdata=${dataArgument(newData, user)}`,
      `--username=${admin}`,
      '--auth=scram-sha-256',
      '--pwfile=../password.new',
      '--encoding=UTF8',
      // The builtin provider sorts identically on every machine, independent of the C library.
      '--locale=C',
      '--locale-provider=builtin',
      '--builtin-locale=C.UTF-8',
      ...(durable ? [] : ['--no-sync']),
    ],
    env: { LC_ALL: 'C', TZ: 'UTC' },
    cwd: newData,
    ...(user === undefined ? {} : { user }),
    stopSignal: 'SIGTERM',
    stopGraceMs: 5_000,
  } as const;
  try {
    const running = startProcess(spec, layout);
    const end = await running.ended;
    forgetProcess(spec, running, layout);
    if (end !== 'exit 0') {
      throw new SecuError('embedded_failed', `initdb failed (${end}):\n${lastLines(running.logFile)}`);
    }
  } finally {
    rmSync(passwordFile, { force: true });
  }
  renameSync(newData, join(layout.postgres, 'data'));
  if (durable) syncFolder(layout.postgres);
}

function syncFolder(folder: string): void {
  const handle = openSync(folder, 'r');
  try {
    fsyncSync(handle);
  } finally {
    closeSync(handle);
  }
}
