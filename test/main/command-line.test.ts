import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer as createHttpServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { freePort } from '../../src/embedded/home.ts';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));

let home: string;

beforeAll(async () => {
  home = await mkdtemp(join(tmpdir(), 'secu-cli-'));
});

afterAll(async () => {
  await rm(home, { recursive: true, force: true });
});

/** The program as a user starts it, with an environment of its own. */
async function secu(
  args: readonly string[],
  { env = {}, input = '', cwd = ROOT }: { env?: Record<string, string>; input?: string; cwd?: string } = {},
) {
  const child = spawn(
    process.execPath,
    ['--disable-warning=ExperimentalWarning', join(ROOT, 'src/main/cli.ts'), ...args],
    {
      cwd,
      env: { PATH: process.env['PATH'], SECU_HOME: home, ...env },
      stdio: ['pipe', 'pipe', 'pipe'],
    },
  );
  child.stdin.end(input);
  const [output, errors, code] = await Promise.all([
    text(child.stdout),
    text(child.stderr),
    new Promise<number | null>((resolve) => child.once('exit', resolve)),
  ]);
  return { output, errors, code };
}

test('--help lists every command and exits with 0', async () => {
  const { output, code } = await secu(['--help']);
  expect(code).toBe(0);
  for (const command of [
    'up',
    'api',
    'worker',
    'migrate',
    'doctor',
    'api-keys',
    'integrations',
    'findings',
    'tools',
  ]) {
    expect(output).toContain(command);
  }
});

test.each([
  [['nonsense'], 'unknown command'],
  [['worker'], '--queues'],
  [['worker', '--queues', 'orchestration,mining'], 'mining'],
  [['findings', '--limit', 'many'], 'whole number'],
  [['integrations', 'show'], 'id'],
])('bad usage %j exits with 2 and an error that names the problem', async (args, expectedError) => {
  const { errors, code } = await secu(args);
  expect(code).toBe(2);
  expect(errors).toContain(expectedError);
});

test('without a running Secu, a command names the checked home and exits with 1', async () => {
  const { errors, code } = await secu(['integrations', 'list']);
  expect(code).toBe(1);
  expect(errors).toContain('SECU_URL');
  expect(errors).not.toContain('    at ');
});

test('an unreachable address is named in the error', async () => {
  const url = `http://127.0.0.1:${await freePort()}`;
  const { errors, code } = await secu(['findings'], {
    env: { SECU_URL: url, SECU_API_KEY: 'secu_'.padEnd(48, 'x') },
  });
  expect(code).toBe(1);
  expect(errors).toContain(url);
});

test('all wrong settings are reported at once, and no process starts', async () => {
  const { errors, code } = await secu(['up'], {
    env: { SECU_PORT: 'eighty', SECU_EXPIRY_THRESHOLDS: '7,7' },
  });
  expect(code).toBe(1);
  expect(errors).toContain('SECU_PORT');
  expect(errors).toContain('SECU_EXPIRY_THRESHOLDS');
});

test('a port that is in use is reported before anything starts', async () => {
  const taken = createServer();
  await new Promise<void>((resolve) => taken.listen(0, '127.0.0.1', resolve));
  const address = taken.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  try {
    const { errors, code } = await secu(['up'], { env: { SECU_PORT: String(port) } });
    expect(code).toBe(1);
    expect(errors).toContain(`127.0.0.1:${port}`);
    expect(errors).toContain('SECU_PORT');
  } finally {
    taken.close();
  }
});

test('doctor exits with 1 if a check failed, and prints its parts as JSON', async () => {
  const env = {
    DATABASE_URL: 'postgresql://secu@127.0.0.1:1/secu',
    SECU_GITLAB_ORIGINS: 'http://127.0.0.1:1',
  };
  const { output, code } = await secu(['doctor', '--json'], { env });
  expect(code).toBe(1);
  const parts: { part: string; status: string }[] = JSON.parse(output);
  expect(parts.find(({ part }) => part === 'postgresql')?.status).toBe('failed');
  const table = await secu(['doctor'], { env });
  expect(table.code).toBe(1);
  expect(table.output.split('\n')[0]).toMatch(/^PART +STATUS .*DETAIL$/);
  expect(table.output).toMatch(/\nfailed postgresql: Check DATABASE_URL.+\n/);
});

test('an empty token is refused before a request is sent', async () => {
  const env = { SECU_URL: 'http://127.0.0.1:1', SECU_API_KEY: 'secu_'.padEnd(48, 'x') };
  const { errors, code } = await secu(['integrations', 'add'], { env, input: '\n' });
  expect(code).toBe(1);
  expect(errors).toContain('empty');
});

test('a .env in the current folder can set neither the server nor the home', async () => {
  const requests: string[] = [];
  const server = createHttpServer((request, response) => {
    requests.push(`${request.url} ${request.headers.authorization}`);
    response.end('{"items":[],"nextCursor":null}');
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const folder = await mkdtemp(join(tmpdir(), 'secu-hostile-'));
  const keys = join(home, 'keys');
  await mkdir(keys, { recursive: true });
  await writeFile(join(keys, 'cli.key'), `secu_${'k'.repeat(43)}\n`);
  const url = `http://127.0.0.1:${port}`;
  await writeFile(
    join(folder, '.env'),
    `SECU_URL=${url}\nSECU_HOME=${folder}\nSECU_API_KEY=secu_${'x'.repeat(43)}\n`,
  );
  try {
    const { code, errors } = await secu(['integrations', 'list'], { cwd: folder });
    expect([code, requests]).toEqual([1, []]);
    expect(errors).toContain(home);
    // and the key of the home is not sent to an address from the environment
    const elsewhere = await secu(['integrations', 'list'], { env: { SECU_URL: url }, cwd: folder });
    expect([elsewhere.code, requests]).toEqual([1, []]);
    expect(elsewhere.errors).toContain('SECU_API_KEY');
  } finally {
    server.close();
    await rm(folder, { recursive: true, force: true });
    await rm(keys, { recursive: true, force: true });
  }
});

test('the generated files are up to date', async () => {
  const child = spawn(
    process.execPath,
    ['--disable-warning=ExperimentalWarning', 'src/reference-docs/main.ts', '--check'],
    {
      cwd: ROOT,
      stdio: ['ignore', 'ignore', 'pipe'],
    },
  );
  const [errors, code] = await Promise.all([
    text(child.stderr),
    new Promise((resolve) => child.once('exit', resolve)),
  ]);
  expect({ errors, code }).toEqual({ errors: '', code: 0 });
});
