import type { ChildProcess } from 'node:child_process';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, beforeEach, expect, test } from '@jest/globals';
import { fleetRecipes } from '../../simulator/index.ts';
import type { RotationStep } from '../../src/activities/deps.ts';
import { openToken } from '../../src/activities/token.ts';
import { startThrowawayTemporal } from '../../src/embedded/temporal-server.ts';
import { createStarters } from '../../src/temporal/starters.ts';
import { integrationWorkflowId } from '../../src/workflows/contract.ts';
import { awaitUntil } from '../support/await-until.ts';
import { addIntegration } from '../support/integration.ts';
import { toolPath } from '../support/tools.ts';
import type { TestWorld } from '../support/world.ts';
import { createTestWorld, temporalOf } from '../support/world.ts';
import { foreignTextIn } from '../workflows/support/histories.ts';
import { filesHolding, formsOf, hitsIn } from './support/search.ts';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const SELF_ROTATE = '/api/v4/personal_access_tokens/self/rotate';
const SCOPES = ['read_api', 'read_repository', 'self_rotate'];
/** Kills at each step; more of them make the table of the docs. */
const RUNS = Number(process.env['SECU_ROTATION_RUNS'] ?? '1');

let world: TestWorld;
let temporal: TestWorld['temporal'];
let home: string;
let killAtFile: string;
let output = '';
const living = new Set<ChildProcess>();
const canaries: string[] = [];
const table = new Map<string, string[]>();

beforeAll(async () => {
  world = await createTestWorld({ simulator: { recipes: fleetRecipes(1) } });
  // these workers poll queues without a prefix: what they leave open must meet nobody else's
  const server = await startThrowawayTemporal({
    folder: join(world.folder, 'temporal'),
    path: await toolPath('temporal'),
  });
  world.onClose(() => server.stop());
  temporal = temporalOf(server.address);
  world.onClose(() => temporal.connection.close());
  home = join(world.folder, 'home');
  mkdirSync(home, { mode: 0o700 });
  killAtFile = join(world.folder, 'kill-at');
});
afterAll(async () => {
  for (const child of living) {
    child.kill('SIGKILL');
    await once(child, 'exit');
  }
  await world?.close();
  const rows = [...table].map(([step, ends]) => `| ${step} | ${ends.length} | ${countsOf(ends)} |`);
  process.stdout.write(`\n| SIGKILL after | runs | ended as |\n| --- | --- | --- |\n${rows.join('\n')}\n`);
});
beforeEach(() => {
  rmSync(killAtFile, { force: true });
  world.simulator.control.faults.clear();
  world.simulator.control.requests.reset();
});

function countsOf(ends: readonly string[]): string {
  return [...new Set(ends)].map((end) => `${end} ${ends.filter((each) => each === end).length}`).join(', ');
}

async function startWorker(): Promise<ChildProcess> {
  const child = spawn(
    process.execPath,
    ['--disable-warning=ExperimentalWarning', 'test/long/rotation-program.ts', killAtFile],
    {
      cwd: ROOT,
      env: {
        PATH: process.env['PATH'],
        SECU_HOME: home,
        DATABASE_URL: world.databaseUrl,
        TEMPORAL_ADDRESS: temporal.address,
        TEMPORAL_NAMESPACE: temporal.namespace,
        SECU_KEYS: world.keyRing,
        SECU_GITLAB_ORIGINS: world.simulator.url,
        SECU_ALLOWED_NETWORKS: '127.0.0.0/8',
        SECU_GITLAB_RATE: '100/s',
        SECU_VERIFY_INTERVAL: '0',
        SECU_SYNC_INTERVAL: '0',
        SECU_GITLEAKS_PATH: await toolPath('gitleaks'),
        SECU_LOG_LEVEL: 'debug',
        SECU_LOG_FORMAT: 'json',
      },
      stdio: ['ignore', 'pipe', 'pipe'],
    },
  );
  living.add(child);
  child.once('exit', () => living.delete(child));
  let own = '';
  for (const stream of [child.stdout, child.stderr])
    stream.on('data', (text) => {
      own += String(text);
      output += String(text);
    });
  await awaitUntil(
    () => {
      if (child.exitCode !== null) throw new Error(`the worker ended with ${child.exitCode}:\n${own}`);
      return own.includes('worker polls');
    },
    { timeoutMs: 60_000, what: 'a worker polls' },
  );
  return child;
}

const starters = () => createStarters({ client: temporal.client });

/** An active integration with a token that may rotate itself. */
async function connect(): Promise<{ integrationId: string; tokenId: number }> {
  const { id: tokenId, token } = world.simulator.control.createToken({ scopes: SCOPES });
  canaries.push(token);
  const { integrationId } = await addIntegration({ ...world, starters: starters() }, { token });
  await awaitUntil(async () => (await rowOf(integrationId))['verdict'] === 'active', { timeoutMs: 60_000 });
  return { integrationId, tokenId };
}

async function rowOf(integrationId: string): Promise<Record<string, unknown>> {
  const [row] = await world.db.query('select * from integration where id = $1', [integrationId]);
  return row ?? {};
}

async function order(integrationId: string): Promise<string> {
  const payload = { force: false };
  const id = await world.database.stores.commands.add({
    integrationId,
    kind: 'rotate',
    payload,
    now: new Date(),
  });
  await starters().wakeIntegration(integrationId);
  return id;
}

const posts = () =>
  world.simulator.control.requests.list().filter(({ pathname }) => pathname === SELF_ROTATE).length;

/** How many tokens of one family live; a family that was revoked has none. */
function livingOf(tokenId: number): number[] {
  const { control } = world.simulator;
  const { family } = control.token(tokenId);
  const ids: number[] = [];
  for (let id = family; ; id += 1) {
    try {
      const token = control.token(id);
      if (token.family === family && !token.revoked) ids.push(id);
    } catch {
      return ids; // no token has this id yet
    }
  }
}

async function remember(integrationId: string): Promise<void> {
  const credential = await world.database.stores.credentials.current(integrationId);
  if (credential !== null) canaries.push(openToken({ vault: world.vault, credential }).reveal());
}

type Fault = RotationStep | 'sent';

/** Until the worker is dead by its own hand, or, for what only GitLab knows, by ours. */
async function rotateAndKill(
  fault: Fault,
  { worker, integrationId }: { worker: ChildProcess; integrationId: string },
): Promise<string> {
  const exited = once(worker, 'exit');
  if (fault === 'sent') {
    // GitLab has rotated, and takes its time to say so
    world.simulator.control.faults.add({
      match: { path: SELF_ROTATE },
      answer: { kind: 'slow', delayMs: 5_000 },
    });
  } else writeFileSync(killAtFile, fault);
  const commandId = await order(integrationId);
  if (fault === 'sent') {
    await awaitUntil(() => posts() > 0, { timeoutMs: 30_000 });
    worker.kill('SIGKILL');
  }
  await exited;
  rmSync(killAtFile, { force: true });
  world.simulator.control.faults.clear();
  return commandId;
}

const EXPECTED: readonly (readonly [Fault, { end: string; posts: number; code: string }])[] = [
  // the command is still there, and GitLab was not asked: the next worker does it
  ['prepared', { end: 'done', posts: 1, code: 'ok' }],
  ['intent', { end: 'not_rotated', posts: 0, code: 'in_doubt' }],
  ['sent', { end: 'lost', posts: 1, code: 'rotation_lost' }],
  ['answered', { end: 'lost', posts: 1, code: 'rotation_lost' }],
  ['journalled', { end: 'done', posts: 1, code: 'ok' }],
  ['committed', { end: 'done', posts: 1, code: 'ok' }],
  ['verified', { end: 'done', posts: 1, code: 'ok' }],
];

test.each(Array.from({ length: RUNS }, () => EXPECTED).flat())(
  'SIGKILL after %s: the table of the protocol holds, no second POST, no family revoked',
  async (fault, wanted) => {
    const worker = [...living][0] ?? (await startWorker());
    const { integrationId, tokenId } = await connect();
    const commandId = await rotateAndKill(fault, { worker, integrationId });
    await startWorker();
    const attempt = await awaitUntil(
      async () => {
        const [row] = await world.db.query<{ state: string; new_token_id: string | null }>(
          `select state, new_token_id from rotation where integration_id = $1
             and state not in ('intent', 'committed') order by id desc limit 1`,
          [integrationId],
        );
        return row;
      },
      { timeoutMs: 90_000, what: `the attempt after ${fault} is settled` },
    );
    table.set(fault, [...(table.get(fault) ?? []), attempt.state]);
    expect(attempt.state).toBe(wanted.end);
    expect(posts()).toBe(wanted.posts);
    const alive = livingOf(tokenId);
    expect(alive).toHaveLength(1);
    const [command] = await world.db.query<{ result: unknown }>('select result from command where id = $1', [
      commandId,
    ]);
    expect(command?.result).toEqual({ code: wanted.code });
    const row = await rowOf(integrationId);
    const current = await world.database.stores.credentials.current(integrationId);
    if (wanted.end === 'lost') {
      expect(row).toMatchObject({ verdict: 'invalid', cause: 'rotation_lost' });
      expect(current?.gitlabTokenId).toBe(tokenId);
      return;
    }
    expect(row).toMatchObject({ verdict: 'active', cause: null, suspected_at: null });
    expect(current?.gitlabTokenId).toBe(alive[0]);
    await remember(integrationId);
    // and what was left in peace can be rotated
    const again = await order(integrationId);
    await awaitUntil(
      async () => {
        const found = await world.database.stores.commands.find(again);
        return found?.state === 'done' ? found : null;
      },
      { timeoutMs: 60_000 },
    );
    expect((await world.database.stores.commands.find(again))?.result).toEqual({ code: 'ok' });
    expect(livingOf(tokenId)).toHaveLength(1);
    await remember(integrationId);
  },
);

test('told to stop, a worker finishes the rotation that it began, and begins no other', async () => {
  const worker = [...living][0] ?? (await startWorker());
  const [one, two] = [await connect(), await connect()];
  world.simulator.control.faults.add({
    match: { path: SELF_ROTATE },
    answer: { kind: 'slow', delayMs: 4_000 },
  });
  const commandId = await order(one.integrationId);
  await awaitUntil(() => posts() > 0, { timeoutMs: 30_000 });
  const exited = once(worker, 'exit');
  worker.kill('SIGTERM');
  await order(two.integrationId);
  const [code] = await exited;
  expect(code).toBe(0);
  expect(posts()).toBe(1);
  const current = await world.database.stores.credentials.current(one.integrationId);
  expect(livingOf(one.tokenId)).toEqual([current?.gitlabTokenId]);
  expect((await world.database.stores.commands.find(commandId))?.result).toEqual({ code: 'ok' });
  expect(livingOf(two.tokenId)).toEqual([two.tokenId]);
  await remember(one.integrationId);
});

test('no token, old or new, is in a journal, a log, an event or a history', async () => {
  await startWorker();
  const { integrationId } = await connect();
  await order(integrationId);
  await awaitUntil(async () => {
    const last = await world.database.stores.rotations.last(integrationId);
    return last?.state === 'done';
  });
  await remember(integrationId);
  const needles = [...new Set(canaries)].flatMap(formsOf);
  expect(needles.length).toBeGreaterThan(10);
  expect(filesHolding(home, needles)).toEqual([]);
  expect(hitsIn(output, needles)).toBe(0);
  const events = await world.db.query('select text, data from event');
  expect(hitsIn(JSON.stringify(events), needles)).toBe(0);
  const rows = await world.db.query('select * from rotation');
  expect(hitsIn(JSON.stringify(rows), needles)).toBe(0);
  const ids = await world.db.query<{ id: string }>('select id from integration');
  for (const { id } of ids) {
    const handle = temporal.client.workflow.getHandle(integrationWorkflowId(id));
    const history = await handle.fetchHistory();
    expect(hitsIn(JSON.stringify(history), needles)).toBe(0);
    expect(foreignTextIn(history)).toEqual([]);
  }
});
