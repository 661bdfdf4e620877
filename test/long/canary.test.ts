import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { awaitUntil } from '../../harness/await-until.ts';
import type { Answer } from '../../harness/client.ts';
import type { Secu } from '../../harness/secu.ts';
import { prepareSecu } from '../../harness/secu.ts';
import type { Simulator } from '../../simulator/index.ts';
import { createSimulator } from '../../simulator/index.ts';
import {
  filesHolding,
  formsOf,
  historiesHolding,
  hitsIn,
  tablesHolding,
  watchProcesses,
} from './support/search.ts';
import { awaitSettled } from './support/story.ts';

let simulator: Simulator;
let folder: string;
let secu: Secu;
const canaries: string[] = [];
const answers: string[] = [];

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'secu-long-canary-'));
  simulator = await createSimulator({ folder });
  secu = await prepareSecu({
    env: {
      SECU_GITLAB_ORIGINS: simulator.url,
      SECU_ALLOWED_NETWORKS: '127.0.0.0/8',
      SECU_GITLAB_RATE: '100/s',
      SECU_DISK_RESERVE: '1MiB',
      SECU_LOG_LEVEL: 'debug',
    },
  });
  await secu.start();
});

afterAll(async () => {
  await secu?.remove();
  await simulator?.close();
  if (folder !== undefined) await rm(folder, { recursive: true, force: true });
});

const needles = () => canaries.flatMap(formsOf);

/** A GitLab administrator may remove the token prefix, so tokens have no recognisable format. */
function newToken(shape: 'usual' | 'bare' = 'bare'): string {
  const { id: userId } = simulator.control.createUser({ name: 'Secu scanner' });
  const { token } = simulator.control.createToken({
    userId,
    scopes: ['read_api', 'read_repository'],
    secret: shape === 'bare' ? randomBytes(20).toString('base64url') : undefined,
  });
  canaries.push(token, `oauth2:${token}`);
  return token;
}

async function call(method: string, path: string, body?: unknown): Promise<Answer> {
  const answer = await secu.call(method, path, body);
  answers.push(JSON.stringify(answer.body));
  return answer;
}

/** Every path that a token takes: valid, invalid, echoed, failing, crashing, replaced. */
async function driveEverything(): Promise<void> {
  const good = newToken();
  const created = await call('POST', '/integrations', { ...connection(), token: good });
  const id = created.body.id;
  await awaitSettled(secu, id);
  await sendRefusedTokens(good);
  await verifyAgainstEchoingGitlab({ id, token: good });
  await scanWithFaultsAndKill({ id, token: good });
  expect((await call('PUT', `/integrations/${id}/token`, { token: newToken() })).status).toBe(200);
  await awaitSettled(secu, id);
  await readEverything(id);
}

const connection = () => ({ provider: 'gitlab', type: 'git', baseUrl: simulator.url });

async function sendRefusedTokens(good: string): Promise<void> {
  const connect = connection();
  const unknown = `${newToken('usual')}x`;
  canaries.push(unknown);
  expect((await call('POST', '/integrations', { ...connect, token: unknown })).body.cause).toBe(
    'token_rejected',
  );
  expect((await call('POST', '/integrations', { ...connect, token: good })).body.code).toBe('token_in_use');
  expect((await call('POST', '/integrations', { ...connect, token: `Bearer ${good}` })).status).toBe(400);
  expect((await call('POST', '/integrations', { ...connect, token: good, surprise: good })).status).toBe(400);
}

/** A GitLab that repeats the request in its errors. */
async function verifyAgainstEchoingGitlab({ id, token }: { id: string; token: string }): Promise<void> {
  const { faults } = simulator.control;
  const echo = {
    headers: { 'Content-Type': 'application/json' },
    body: { message: `bad ${token}`, error: token, error_description: token },
  };
  faults.add({
    match: { path: /personal_access_tokens\/self/, times: 1 },
    answer: { kind: 'reply', status: 500, ...echo },
  });
  await call('POST', `/integrations/${id}/verify`);
  faults.clear();
}

/** Failing, cut and slow clones, and a scan worker that is killed in the middle. */
async function scanWithFaultsAndKill({ id, token }: { id: string; token: string }): Promise<void> {
  const { faults } = simulator.control;
  faults.add({
    match: { path: /payments\.git/, times: 4 },
    answer: {
      kind: 'reply',
      status: 500,
      body: `error for ${token} ${Buffer.from(`oauth2:${token}`).toString('base64')}`,
    },
  });
  faults.add({
    match: { path: /shop\.git\/git-upload-pack/, fetchOnly: true, times: 1 },
    answer: { kind: 'cut' },
  });
  faults.add({
    match: { path: /gateway\.git\/git-upload-pack/, fetchOnly: true, times: 1 },
    answer: { kind: 'slow', delayMs: 3_000 },
  });
  await call('POST', `/integrations/${id}/scan`, {});
  await awaitUntil(async () => simulator.control.requests.clones().inFlight > 0, { timeoutMs: 30_000 });
  await secu.kill('scan-worker');
  faults.clear();
  await secu.ready();
  await awaitSettled(secu, id);
}

async function readEverything(id: string): Promise<void> {
  for (const path of [
    '/integrations',
    '/repositories',
    '/findings',
    '/events',
    '/overview',
    '/about',
    '/api-keys',
    `/integrations/${id}/syncs`,
  ]) {
    await call('GET', path);
  }
}

test('after every path that a token can take, it exists only sealed', async () => {
  const watch = watchProcesses(secu, needles);
  await driveEverything().finally(() => watch.stop());
  const { programs, hits } = watch.stop();

  expect(programs.some((program) => program.endsWith('git') || program.endsWith('git-remote-http'))).toBe(
    true,
  );
  expect(hits).toEqual([]);
  expect(hitsIn(answers.join('\n'), needles())).toBe(0);
  expect(hitsIn(secu.output(), needles())).toBe(0);
  expect(await tablesHolding(secu, needles())).toEqual([]);

  const histories = await historiesHolding(secu, [...needles(), 'acme/', 'payments', simulator.url]);
  expect(histories.read).toBeGreaterThan(20);
  expect(histories.holding).toEqual([]);

  await secu.stop();
  expect(filesHolding(secu.home, needles())).toEqual([]);
  expect(readFileSync(join(secu.home, 'logs', 'api.log'), 'utf8')).toContain('request');
});

test('the search finds a token that was planted', () => {
  const token = canaries[0] ?? '';
  const forms = formsOf(token);
  expect(
    hitsIn(`Authorization: Basic ${Buffer.from(`oauth2:${token}`).toString('base64')}`, forms),
  ).toBeGreaterThan(0);
  expect(hitsIn(Buffer.from(`x${token}x`), forms)).toBeGreaterThan(0);
});
