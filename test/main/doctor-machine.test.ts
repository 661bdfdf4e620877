import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from '@jest/globals';
import { toolPath } from '../../harness/tools.ts';
import { acquireHome } from '../../src/embedded/home.ts';
import { startPostgres } from '../../src/embedded/postgres.ts';
import { createSupervisor } from '../../src/embedded/supervisor.ts';
import { examineMachine } from '../../src/main/doctor/machine.ts';

const folder = mkdtempSync(join(tmpdir(), 'secu-doctor-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const facts = {
  home: join(folder, 'home'),
  databaseUrl: null,
  temporal: null,
  toolPaths: {},
  bundledTools: [
    { name: 'ast-grep', purpose: 'finds flaws', version: '0.51.1', path: '/here' },
    { name: 'not-there', purpose: 'does something', version: null, path: null },
  ],
  diskReserveBytes: 1,
  probeIsolation: async () => ({ level: 'namespaces' as const, reachable: [] }),
};

test('shows version, source and status of every part, and warns that local users have access', async () => {
  await Promise.all([toolPath('temporal'), toolPath('gitleaks')]);
  const parts = await examineMachine(facts);
  expect(parts.map(({ part }) => part)).toEqual([
    'node',
    'git',
    'home',
    'disk',
    'postgresql',
    'temporal server',
    'temporal',
    'gitleaks',
    'osv-scanner',
    'ast-grep',
    'not-there',
    'sandbox',
    'local users',
  ]);
  expect(parts.find(({ part }) => part === 'gitleaks')).toMatchObject({ version: '8.30.1', status: 'ok' });
  expect(parts.find(({ part }) => part === 'ast-grep')).toMatchObject({ version: '0.51.1', status: 'ok' });
  expect(parts.find(({ part }) => part === 'not-there')).toMatchObject({
    status: 'warning',
    advice: expect.stringContaining('npm ci'),
  });
  expect(parts.find(({ part }) => part === 'local users')?.detail).toMatch(/open to every local user/);
});

test('checks the running embedded database', async () => {
  const layout = acquireHome(facts.home);
  const supervisor = createSupervisor({ layout, printLine: () => {} });
  try {
    await startPostgres({ layout, supervisor, printLine: () => {} });
    const parts = await examineMachine(facts);
    const database = parts.find(({ part }) => part === 'postgresql');
    expect(database).toMatchObject({
      source: 'embedded',
      status: 'ok',
      version: expect.stringMatching(/^18\./),
    });
    expect(parts.find(({ part }) => part === 'home')?.detail).toBe(`in use by process ${process.pid}`);
  } finally {
    await supervisor.stop();
    layout.release();
  }
});

test('an unreachable database and a full disk are reported with advice', async () => {
  const parts = await examineMachine({
    ...facts,
    databaseUrl: 'postgresql://secu@127.0.0.1:1/secu',
    diskReserveBytes: Number.MAX_SAFE_INTEGER,
  });
  expect(parts.find(({ part }) => part === 'postgresql')).toMatchObject({
    status: 'failed',
    advice: expect.stringContaining('DATABASE_URL'),
  });
  expect(parts.find(({ part }) => part === 'disk')).toMatchObject({
    status: 'warning',
    advice: expect.stringContaining('SECU_DISK_RESERVE'),
  });
});
