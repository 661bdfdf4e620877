import { spawn } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { TEMPORAL_NAMESPACE } from '../../src/embedded/temporal-server.ts';
import type { TestDatabase } from '../support/database.ts';
import { createTestDatabase } from '../support/database.ts';
import { testServerAddress } from '../support/server-addresses.ts';

const PROGRAM = fileURLToPath(new URL('process-context-program.ts', import.meta.url));

let db: TestDatabase;
let home: string;

beforeAll(async () => {
  db = await createTestDatabase();
  home = await mkdtemp(join(tmpdir(), 'secu-world-'));
});
afterAll(async () => {
  await db.drop();
  await rm(home, { recursive: true, force: true });
});

async function runProgram(...args: string[]): Promise<string> {
  const child = spawn(process.execPath, ['--disable-warning=ExperimentalWarning', PROGRAM, ...args], {
    env: {
      PATH: process.env['PATH'],
      SECU_HOME: home,
      DATABASE_URL: db.url,
      TEMPORAL_ADDRESS: testServerAddress('temporalAddress'),
      TEMPORAL_NAMESPACE,
      SECU_LOG_FORMAT: 'json',
    },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  return text(child.stdout);
}

test('a token without a known format that a process sealed or opened is scrubbed from its log', async () => {
  const [sealing = '', result = ''] = (await runProgram()).trimEnd().split('\n');
  const [, keyId = '', record = '', token = ''] = result.split(' ');
  expect(token).toMatch(/^[0-9a-f]{40}$/);
  expect(sealing).toContain('git said [secret]');
  expect(sealing).not.toContain(token);

  const opening = await runProgram(keyId, record);
  expect(opening).toContain('git said [secret]');
  expect(opening).not.toContain(token);
  expect(opening).not.toContain(Buffer.from(`oauth2:${token}`).toString('base64'));
});
