import { mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { toolPath } from '../../harness/tools.ts';
import { migrate } from '../../src/db/migrate.ts';
import { acquireHome, homeHolder } from '../../src/embedded/home.ts';
import { startThrowawayPostgres } from '../../src/embedded/postgres.ts';
import { endLeftovers } from '../../src/embedded/processes.ts';
import { startThrowawayTemporal } from '../../src/embedded/temporal-server.ts';
import { workflowBundle } from '../../src/main/workflow-bundle.ts';
import { SERVER_VARIABLES, TEMPLATE_DATABASE } from './server-addresses.ts';

/** The servers that all suites of one run share: one PostgreSQL, one Temporal server, one workflow bundle. */
export interface TestServers {
  stop(): Promise<void>;
}

/** The folder of all test runs. Each run has its own folder in it, so runs can be concurrent. */
const RUNS = join(tmpdir(), `secu-tests-${process.getuid?.() ?? 0}`);

/** Starts the servers and stores their addresses in the environment, which jest passes to its workers. */
export async function startTestServers(): Promise<TestServers> {
  mkdirSync(RUNS, { recursive: true, mode: 0o711 });
  await sweepKilledRuns();
  const folder = join(RUNS, `run-${process.pid}`);
  mkdirSync(folder, { mode: 0o711 });
  const started = await Promise.allSettled([
    startPostgres(join(folder, 'postgres')),
    startTemporal(join(folder, 'temporal')),
    writeBundle(join(folder, 'workflows.js')),
  ]);
  const stop = async () => {
    const stops = started.flatMap((part) => (part.status === 'fulfilled' ? [part.value] : []));
    await Promise.all(stops.map((each) => each()));
    rmSync(folder, { recursive: true, force: true });
  };
  const failure = started.find((part) => part.status === 'rejected');
  if (failure === undefined) return { stop };
  await stop();
  throw failure.reason;
}

type Stop = () => Promise<void>;

async function startPostgres(folder: string): Promise<Stop> {
  const { url, stop } = await startThrowawayPostgres({ folder });
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    await client.query(`create database ${TEMPLATE_DATABASE}`);
  } finally {
    await client.end();
  }
  const template = new URL(url);
  template.pathname = `/${TEMPLATE_DATABASE}`;
  await migrate({ url: String(template) });
  process.env[SERVER_VARIABLES.postgresUrl] = url;
  return stop;
}

async function startTemporal(folder: string): Promise<Stop> {
  const { address, stop } = await startThrowawayTemporal({ folder, path: await toolPath('temporal') });
  process.env[SERVER_VARIABLES.temporalAddress] = address;
  return stop;
}

async function writeBundle(file: string): Promise<Stop> {
  const { code } = await workflowBundle();
  writeFileSync(file, code);
  process.env[SERVER_VARIABLES.workflowBundle] = file;
  return async () => {};
}

/** Ends leftover processes of killed runs and removes their folders. A running run holds its homes. */
async function sweepKilledRuns(): Promise<void> {
  for (const name of readdirSync(RUNS)) {
    const folder = join(RUNS, name);
    const homes = ['postgres', 'temporal'].map((part) => join(folder, part));
    if (isAlive(Number(name.slice('run-'.length))) || homes.some((home) => homeHolder(home) !== null))
      continue;
    for (const home of homes) {
      const layout = acquireHome(home);
      await endLeftovers(layout, () => {});
      layout.release();
    }
    rmSync(folder, { recursive: true, force: true });
  }
}

/** If the PID was reused by another process, the next run cleans up. */
function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}
