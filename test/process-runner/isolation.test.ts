import { spawnSync } from 'node:child_process';
import { chmod, cp, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import type { AddressInfo, Server } from 'node:net';
import { createServer } from 'node:net';
import { networkInterfaces, tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { ScanWorld } from '../scanners/support.ts';
import { createScanWorld } from '../scanners/support.ts';
import { testServerAddress } from '../support/server-addresses.ts';
import type { HostileReport } from './hostile-targets.ts';

const PROGRAM = fileURLToPath(new URL('isolation-program.ts', import.meta.url));
const CANARY = 'canary-of-the-isolation-test';
/** A user without rights. */
const PLAIN_UID = 1_234;
const IS_ROOT = process.getuid?.() === 0;
const USERS: readonly User[] = [
  ...(IS_ROOT ? (['root', 'a user in a container'] as const) : []),
  'a plain user',
];
const WITHOUT_MOUNTS = ['setpriv', '--bounding-set=-sys_admin', '--inh-caps=-all', '--'];
const AS_PLAIN_USER = ['setpriv', `--reuid=${PLAIN_UID}`, `--regid=${PLAIN_UID}`, '--clear-groups', '--'];

/** Container engines mask files below /proc, which forbids a new /proc, and take all capabilities. */
const IN_CONTAINER = [
  'unshare',
  '-m',
  '/bin/sh',
  '-c',
  `mount --bind /dev/null /proc/version && exec setpriv --reuid=${PLAIN_UID} --regid=${PLAIN_UID} --clear-groups --inh-caps=-all --bounding-set=-all --no-new-privs -- "$0" "$@"`,
];
const START: Record<User, readonly string[]> = {
  root: [],
  'root without mounts': WITHOUT_MOUNTS,
  'a user in a container': IN_CONTAINER,
  'a plain user': IS_ROOT ? AS_PLAIN_USER : [],
};

type User = 'root' | 'root without mounts' | 'a user in a container' | 'a plain user';

let world: ScanWorld;
let folder: string;
let listener: Server;

beforeAll(async () => {
  world = await createScanWorld();
  folder = await mkdtemp(join(tmpdir(), 'secu-isolation-'));
  await chmod(folder, 0o755);
  listener = createServer((connection) => connection.destroy()).listen(0, '0.0.0.0');
});
afterAll(async () => {
  listener.close();
  await world.close();
  await rm(folder, { recursive: true, force: true });
});

/** The real servers of this test run, and a listener on all interfaces, as on the internet. */
function tcpTargets() {
  const postgres = new URL(testServerAddress('postgresUrl'));
  const [host = '', port = ''] = testServerAddress('temporalAddress').split(':');
  const { port: anyPort } = listener.address() as AddressInfo;
  const outside = Object.values(networkInterfaces())
    .flatMap((addresses) => addresses ?? [])
    .find(({ family, internal }) => family === 'IPv4' && !internal);
  return {
    PostgreSQL: { host: postgres.hostname, port: Number(postgres.port) },
    Temporal: { host, port: Number(port) },
    'a listener on loopback': { host: '127.0.0.1', port: anyPort },
    ...(outside === undefined
      ? {}
      : { 'a listener on the network': { host: outside.address, port: anyPort } }),
  };
}

interface Result {
  level: string;
  scanner: HostileReport;
  git: HostileReport;
}

/** Runs `hostile.js` as a scanner and as git, started by a process with keys that runs as this user. */
async function attackAs(user: User, isolated = true): Promise<Result> {
  // with spaces, which mount(8) reads as the end of a path
  const home = join(folder, `of ${user}${isolated ? '' : ', not isolated'}`);
  const own = join(home, 'work', 'scans', 'own');
  for (const path of ['keys', 'postgres', 'programs']) await mkdir(join(home, path), { recursive: true });
  await writeFile(join(home, 'keys', 'keys.txt'), CANARY, { mode: 0o600 });
  await writeFile(join(home, 'settings.env'), CANARY, { mode: 0o600 });
  await writeFile(join(home, 'postgres', 'PG_VERSION'), '18', { mode: 0o600 });
  const { gitDirectory } = await world.files({ 'a.txt': 'text\n' });
  await cp(gitDirectory, join(own, 'repository.git'), { recursive: true });
  if (IS_ROOT && user.startsWith('a ')) spawnSync('chown', ['-R', `${PLAIN_UID}:${PLAIN_UID}`, home]);
  const program = [process.execPath, '--disable-warning=ExperimentalWarning', PROGRAM, home];
  const [command, ...args] = [...START[user], ...program];
  if (command === undefined) throw new Error('no command');
  const { stdout, stderr } = spawnSync(command, args, {
    encoding: 'utf8',
    timeout: 100_000,
    env: {
      PATH: '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin',
      SECU_KEYS: CANARY,
      TEST_CANARY: CANARY,
      TEST_TCP: JSON.stringify(tcpTargets()),
      TEST_ISOLATED: isolated ? '1' : '0',
    },
  });
  if (stdout === '') throw new Error(stderr);
  return JSON.parse(stdout) as Result;
}

const reached = (report: HostileReport) =>
  Object.keys(report)
    .filter((name) => report[name] === 'reached')
    .toSorted();

describe.each(USERS)('started by Secu that runs as %s', (user) => {
  test('a hostile scanner and a hostile git reach no key, no process and no other scan, and the scanner no network', async () => {
    const { level, scanner, git } = await attackAs(user);
    expect(level).toBe('namespaces');
    expect(Object.keys(scanner).length).toBeGreaterThan(15);
    expect(reached(scanner)).toEqual([]);
    // TCP is not among them: git needs the network of Secu, because it clones from GitLab
    expect(Object.keys(git).length).toBeGreaterThan(10);
    expect(reached(git)).toEqual([]);
  });

  test('the same program reaches keys and other scans without isolation', async () => {
    const { scanner, git } = await attackAs(user, false);
    expect(reached(git)).toEqual(expect.arrayContaining(['another scan', 'read the key', 'write the rules']));
    expect(reached(scanner)).toEqual(
      expect.arrayContaining([
        expect.stringMatching(/^read .*keys\.txt$/),
        expect.stringMatching(/^list .*postgres$/),
        'another scan',
      ]),
    );
  });
});

const asRoot = IS_ROOT ? test : test.skip; // applies to root only

asRoot(
  'where root may not mount, git and scanners run as another user, which cannot read keys or the memory of Secu',
  async () => {
    const { level, scanner, git } = await attackAs('root without mounts');
    expect(level).toBe('uid');
    const names = reached(scanner);
    expect(names).not.toContainEqual(expect.stringMatching(/^(read|write|connect)|process/));
    expect(reached(git)).not.toContainEqual(expect.stringMatching(/^(read|write)|process/));
    // one user runs all scans
    expect(names).toContain('another scan');
  },
);
