import type { ChildProcess } from 'node:child_process';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { awaitUntil } from '../../../harness/await-until.ts';
import { toolPath } from '../../../harness/tools.ts';
import { fleetRecipes } from '../../../simulator/index.ts';
import { openToken } from '../../../src/activities/token/credential.ts';
import type { Starters } from '../../../src/domain/ports.ts';
import { startThrowawayTemporal } from '../../../src/embedded/temporal-server.ts';
import { createStarters } from '../../../src/temporal/starters.ts';
import { addIntegration } from '../../support/integration.ts';
import type { TestWorld } from '../../support/world.ts';
import { createTestWorld, temporalOf } from '../../support/world.ts';

const ROOT = fileURLToPath(new URL('../../../', import.meta.url));
export const SELF_ROTATE = '/api/v4/personal_access_tokens/self/rotate';
const SCOPES = ['read_api', 'read_repository', 'self_rotate'];

export type RotationWorld = Awaited<ReturnType<typeof createRotationWorld>>;

/** A simulated GitLab, PostgreSQL, a Temporal of its own, and workers as real processes that rotate tokens. */
export async function createRotationWorld() {
  const world: TestWorld = await createTestWorld({ simulator: { recipes: fleetRecipes(1) } });
  // these workers poll queues without a prefix, so they need their own server
  const server = await startThrowawayTemporal({
    folder: join(world.folder, 'temporal'),
    path: await toolPath('temporal'),
  });
  world.onClose(() => server.stop());
  const temporal = temporalOf(server.address);
  world.onClose(() => temporal.connection.close());
  const home = join(world.folder, 'home');
  mkdirSync(home, { mode: 0o700 });
  const killAtFile = join(world.folder, 'kill-at');
  const workers = createWorkers({ world, temporal, home, killAtFile });
  const starters = createStarters({ client: temporal.client });
  const { control } = world.simulator;
  const tokens: string[] = [];

  const commands = createRotationCommands({ world, starters });

  return {
    world,
    temporal,
    home,
    killAtFile,
    ...workers,
    ...commands,
    /** Every created token, old and new. */
    tokens,

    /** An active integration with a token that can rotate itself. */
    async connect(): Promise<{ integrationId: string; tokenId: number }> {
      const { id: tokenId, token } = control.createToken({ scopes: SCOPES });
      tokens.push(token);
      const { integrationId } = await addIntegration({ ...world, starters }, { token });
      await awaitUntil(async () => (await commands.rowOf(integrationId))['verdict'] === 'active', {
        timeoutMs: 60_000,
      });
      return { integrationId, tokenId };
    },

    /** The number of rotation requests that GitLab received. */
    countRotateRequests: () =>
      control.requests.list().filter(({ pathname }) => pathname === SELF_ROTATE).length,

    activeTokensOf: (tokenId: number) => activeTokensOf(world, tokenId),

    /** Adds the current token of the integration to `tokens`. */
    async recordCurrentToken(integrationId: string): Promise<void> {
      const credential = await world.database.stores.credentials.current(integrationId);
      if (credential !== null) tokens.push(openToken({ vault: world.vault, credential }).reveal());
    },

    async close(): Promise<void> {
      await workers.killAll();
      await world.close();
    },
  };
}

/** Adds rotation commands, and reads their results from the database. */
function createRotationCommands({ world, starters }: { world: TestWorld; starters: Starters }) {
  return {
    async rowOf(integrationId: string): Promise<Record<string, unknown>> {
      const [row] = await world.db.query('select * from integration where id = $1', [integrationId]);
      return row ?? {};
    },

    async requestRotation(integrationId: string): Promise<string> {
      const { commands } = world.database.stores;
      const payload = { force: false };
      const id = await commands.add({ integrationId, kind: 'rotate', payload, now: new Date() });
      await starters.wakeIntegration(integrationId);
      return id;
    },

    /** Waits for the result of a command. */
    async resultOf(commandId: string, { timeoutMs = 60_000 } = {}): Promise<unknown> {
      const { commands } = world.database.stores;
      const done = await awaitUntil(
        async () => {
          const found = await commands.find({ id: commandId, kind: 'rotate' });
          return found?.state === 'done' ? found : null;
        },
        { timeoutMs, what: 'the command is done' },
      );
      return done.result;
    },

    /** Waits for the final state of the newest attempt. */
    async endOf(integrationId: string): Promise<string> {
      const attempt = await awaitUntil(
        async () => {
          const [row] = await world.db.query<{ state: string }>(
            `select state from rotation where integration_id = $1
               and state not in ('intent', 'committed') order by id desc limit 1`,
            [integrationId],
          );
          return row;
        },
        { timeoutMs: 150_000, what: 'the attempt is resolved' },
      );
      return attempt.state;
    },
  };
}

/** The IDs of the valid tokens of a token family; empty if the family was revoked. */
function activeTokensOf({ simulator }: TestWorld, tokenId: number): number[] {
  const { control } = simulator;
  const { family } = control.token(tokenId);
  const ids: number[] = [];
  for (let id = family; ; id += 1) {
    try {
      const token = control.token(id);
      if (token.family === family && !token.revoked) ids.push(id);
    } catch {
      return ids; // no token has this ID yet
    }
  }
}

function createWorkers(input: {
  world: TestWorld;
  temporal: TestWorld['temporal'];
  home: string;
  killAtFile: string;
}) {
  const { world, temporal, home, killAtFile } = input;
  const runningWorkers = new Set<ChildProcess>();
  let output = '';
  return {
    runningWorkers,
    /** The output of all workers. */
    output: () => output,
    async startWorker(): Promise<ChildProcess> {
      const program = ['--disable-warning=ExperimentalWarning', 'test/long/rotation-program.ts', killAtFile];
      const child = spawn(process.execPath, program, {
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
      });
      runningWorkers.add(child);
      child.once('exit', () => runningWorkers.delete(child));
      let log = '';
      for (const stream of [child.stdout, child.stderr])
        stream.on('data', (text) => {
          log += String(text);
          output += String(text);
        });
      await awaitUntil(
        () => {
          if (child.exitCode !== null) throw new Error(`the worker ended with ${child.exitCode}:\n${log}`);
          return log.includes('worker is polling');
        },
        { timeoutMs: 60_000, what: 'a worker is polling' },
      );
      return child;
    },
    async killAll(): Promise<void> {
      for (const child of runningWorkers) {
        child.kill('SIGKILL');
        await once(child, 'exit');
      }
    },
  };
}

/** Counts results per case and prints them as the table of the docs. */
export function createEndTable(heading: string) {
  const ends = new Map<string, string[]>();
  return {
    add: (what: string, end: string) => void ends.set(what, [...(ends.get(what) ?? []), end]),
    print() {
      const rows = [...ends].map(([what, all]) => `| ${what} | ${all.length} | ${countsOf(all)} |`);
      process.stdout.write(`\n| ${heading} | runs | result |\n| --- | --- | --- |\n${rows.join('\n')}\n`);
    },
  };
}

function countsOf(ends: readonly string[]): string {
  return [...new Set(ends)].map((end) => `${end} ${ends.filter((each) => each === end).length}`).join(', ');
}
