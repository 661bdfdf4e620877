import { mkdtemp, rm } from 'node:fs/promises';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { prepareSecu } from '../harness/secu.ts';
import { toolPath } from '../harness/tools.ts';
import { startThrowawayPostgres } from '../src/embedded/postgres.ts';
import { ask, end, start } from './child.ts';
import type { PeerAnswer } from './fleet-peer.ts';
import { runPeer } from './fleet-peer.ts';
import { awaitScanned, historyEvents, pidsOf, statements, syncOnce } from './fleet-stack.ts';
import type { ChangeInput, GitlabAnswer, GitlabInput } from './gitlab-program.ts';
import type { Memory, ProcessUse } from './processes.ts';
import { cpuOf, runnerOf, watchMemory } from './processes.ts';
import type { Report } from './report.ts';
import { add, newReport } from './report.ts';

const MAX_MIB = 2_048;
/** Only for full sizes: with few repositories, a quick run spends most of its time starting processes. */
const MAX_RATIO = { makespan: 1.5, growth: 1.2 };
const AT_ONCE = availableParallelism();

/**
 * Scans a thousand small repositories, from the token to the last finding, and compares with a shell loop over the
 * same repositories.
 */
export async function benchFleet(options: {
  quick: boolean;
  printLine: (line: string) => void;
}): Promise<Report> {
  const report = newReport('fleet');
  const [small, large] = options.quick ? [30, 100] : [300, 1_000];
  const { makespan, growth } = options.quick ? { makespan: null, growth: null } : MAX_RATIO;
  const folder = await mkdtemp(join(tmpdir(), 'secu-bench-'));
  try {
    options.printLine(`${small} repositories, for memory`);
    const changes = large / 100;
    const before = await measureFleet({ folder, fleet: small, latencyMs: 0, changes, withPeer: false });
    for (const latencyMs of [0, 50]) {
      options.printLine(`${large} repositories at ${latencyMs} ms`);
      const ours = await measureFleet({ folder, fleet: large, latencyMs, changes, withPeer: true });
      reportRun({ report, ours, fleet: large, latencyMs, makespan });
      if (latencyMs === 0) reportMemory({ report, before, ours, small, large, growth });
    }
    return report;
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

interface Measured {
  ms: number;
  peer: PeerAnswer | null;
  findings: number;
  routes: Record<string, number>;
  statements: number;
  events: { scans: number; ofScans: number; others: number };
  cpu: Record<string, ProcessUse>;
  phases: Record<string, number>;
  memory: Memory;
  unchangedMs: number;
  unchanged: Record<string, number>;
  changedMs: number;
  changed: Record<string, number>;
}

interface Input {
  folder: string;
  fleet: number;
  latencyMs: number;
  /** Repositories before the third sync: the same for all sizes, so that memory can be compared. */
  changes: number;
  withPeer: boolean;
}

async function measureFleet(input: Input): Promise<Measured> {
  const gitlab = start('gitlab-program.ts');
  const postgres = await startThrowawayPostgres({
    folder: join(input.folder, `postgres-${input.fleet}-${input.latencyMs}`),
    options: ['shared_preload_libraries=pg_stat_statements', 'max_connections=200'],
  });
  try {
    const begin: GitlabInput = {
      folder: join(input.folder, 'gitlab'),
      fleet: input.fleet,
      copies: 0,
      maxGap: 0,
      latencyMs: input.latencyMs,
      enforceRateLimits: false,
    };
    const { url, token, paths } = await ask<GitlabAnswer>(gitlab, begin);
    const counts = async (message: ChangeInput | 'counts' = 'counts') =>
      (await ask<GitlabAnswer>(gitlab, message)).routes;
    const databaseUrl = await benchDatabase(postgres.url);
    const stack = await runStack({ input, url, token, databaseUrl, counts });
    if (!input.withPeer) return { ...stack, peer: null };
    const peer = await runPeer({
      folder: join(input.folder, `peer-${input.latencyMs}`),
      url,
      token,
      paths,
      atOnce: AT_ONCE,
      gitleaks: await toolPath('gitleaks'),
    });
    return { ...stack, peer };
  } finally {
    await postgres.stop();
    await end(gitlab);
  }
}

async function benchDatabase(serverUrl: string): Promise<string> {
  const url = new URL(serverUrl);
  url.pathname = '/bench';
  const run = async (at: string, statement: string) => {
    const client = new pg.Client({ connectionString: at });
    await client.connect();
    await client.query(statement);
    await client.end();
  };
  await run(serverUrl, 'create database bench');
  await run(String(url), 'create extension pg_stat_statements');
  return String(url);
}

async function runStack(parts: {
  input: Input;
  url: string;
  token: string;
  databaseUrl: string;
  counts: (message?: ChangeInput | 'counts') => Promise<Record<string, number>>;
}): Promise<Omit<Measured, 'peer'>> {
  const { input, url, token, databaseUrl, counts } = parts;
  const { fleet } = input;
  const secu = await prepareSecu({
    env: {
      DATABASE_URL: databaseUrl,
      SECU_GITLAB_ORIGINS: url,
      SECU_ALLOWED_NETWORKS: '127.0.0.0/8',
      SECU_GITLAB_RATE: '1000/s',
      SECU_SCAN_SLOTS: String(AT_ONCE),
      SECU_DISK_RESERVE: '1MiB',
      // the peer reads heads only
      SECU_HISTORY: 'off',
    },
  });
  try {
    await secu.start();
    const pids = pidsOf(secu.home);
    const memory = watchMemory(pids);
    const startUse = usesOf(pids);
    const startStatements = await statements(databaseUrl);
    await counts();
    const startedMs = performance.now();
    const connect = { provider: 'gitlab', type: 'git', baseUrl: url, token };
    const { body } = await secu.call('POST', '/integrations', connect);
    await awaitScanned(secu, body.id, fleet);
    const ms = performance.now() - startedMs;
    const cpu = usedSince(startUse, usesOf(pids));
    const routes = await counts();
    const used = (await statements(databaseUrl)) - startStatements;
    const events = await historyEvents(secu.home);
    const findings = (await secu.call('GET', `/integrations/${body.id}`)).body.counts.openFindings;
    const phases = await phasesOf(databaseUrl);
    const first = { ms, findings, routes, statements: used, events, cpu, phases };
    const unchangedMs = await syncOnce(secu, body.id);
    const unchanged = await counts();
    await counts({ change: input.changes });
    const changedMs = await syncOnce(secu, body.id);
    return { ...first, memory: memory.stop(), unchangedMs, unchanged, changedMs, changed: await counts() };
  } finally {
    await secu.remove();
  }
}

/** The process runner of the scan worker starts with the first clone. */
function usesOf(pids: Record<string, number>): Record<string, ProcessUse> {
  const uses = Object.fromEntries(Object.entries(pids).map(([name, pid]) => [name, cpuOf(pid)]));
  const runner = runnerOf(pids['scan-worker'] ?? 0);
  return { ...uses, runner: runner === null ? { own: 0, children: 0 } : cpuOf(runner) };
}

function usedSince(
  before: Record<string, ProcessUse>,
  after: Record<string, ProcessUse>,
): Record<string, ProcessUse> {
  return Object.fromEntries(
    Object.entries(after).map(([name, use]) => [
      name,
      {
        own: use.own - (before[name]?.own ?? 0),
        children: use.children - (before[name]?.children ?? 0),
      },
    ]),
  );
}

/** Mean duration of each phase of a scan in ms, from the scan rows. */
async function phasesOf(databaseUrl: string): Promise<Record<string, number>> {
  const client = new pg.Client({ connectionString: databaseUrl });
  await client.connect();
  try {
    const { rows } = await client.query<Record<string, string>>(
      `select avg(clone_ms) as clone, avg(extract(epoch from finished_at - started_at) * 1000) as scan,
         (select avg(duration_ms) from scanner_run where name = 'gitleaks') as gitleaks,
         (select sum(duration_ms) / count(distinct scan_id) from scanner_run where name <> 'gitleaks') as "other scanners"
       from scan where status = 'succeeded'`,
    );
    return Object.fromEntries(
      Object.entries(rows[0] ?? {}).map(([name, value]) => [name, Number(value ?? 0)]),
    );
  } finally {
    await client.end();
  }
}

interface FleetRun {
  report: Report;
  ours: Measured;
  fleet: number;
  /** The name of a measurement of this run. */
  named: (what: string) => string;
}

function reportRun(input: {
  report: Report;
  ours: Measured;
  fleet: number;
  latencyMs: number;
  makespan: number | null;
}): void {
  const { report, ours, fleet } = input;
  const named = (what: string) => `${fleet} at ${input.latencyMs} ms: ${what}`;
  const run = { report, ours, fleet, named };
  reportAgainstLoop(run, input.makespan);
  reportCpu(run);
  reportRequests(run);
  reportLaterSyncs(run);
}

function reportAgainstLoop({ report, ours, named }: FleetRun, makespan: number | null): void {
  const { peer } = ours;
  add(report, {
    what: named('makespan'),
    ours: ours.ms / 1_000,
    unit: 's',
    against: { what: `shell loop, ${AT_ONCE} at once`, value: (peer?.ms ?? 0) / 1_000 },
    maxRatio: makespan,
  });
  add(report, {
    what: named('findings'),
    ours: Math.abs(ours.findings - (peer?.findings ?? 0)),
    unit: 'other than the loop',
    against: { what: 'none', value: 0 },
    maxRatio: 1,
  });
}

function reportCpu({ report, ours, fleet, named }: FleetRun): void {
  const cpu = Object.values(ours.cpu).reduce((sum, { own, children }) => sum + own + children, 0);
  add(report, {
    what: named('CPU a repository, without PostgreSQL'),
    ours: (cpu * 1_000) / fleet,
    unit: 'ms',
    against: { what: 'shell loop', value: ((ours.peer?.cpu ?? 0) * 1_000) / fleet },
  });
  for (const [name, { own, children }] of Object.entries(ours.cpu)) {
    add(report, { what: named(`CPU of ${name}`), ours: (own * 1_000) / fleet, unit: 'ms a repository' });
    if (children > 0)
      add(report, {
        what: named(`CPU of its git and scanners`),
        ours: (children * 1_000) / fleet,
        unit: 'ms a repository',
      });
  }
  for (const [phase, ms] of Object.entries(ours.phases))
    add(report, { what: named(`mean time: ${phase}`), ours: ms, unit: 'ms' });
}

function reportRequests({ report, ours, fleet, named }: FleetRun): void {
  const git = sumOf(ours.routes, 'git ');
  add(report, {
    what: named('git requests a repository'),
    ours: git / fleet,
    unit: '',
    against: { what: 'three', value: 3 },
    maxRatio: 1.01,
  });
  add(report, { what: named('API requests'), ours: sumOf(ours.routes, 'GET '), unit: '' });
  add(report, { what: named('statements a repository'), ours: ours.statements / fleet, unit: '' });
  add(report, {
    what: named('events a scan'),
    ours: ours.events.ofScans / ours.events.scans,
    unit: '',
    against: { what: 'eleven', value: 11 },
    maxRatio: 1.01,
  });
  add(report, { what: named('other events a repository'), ours: ours.events.others / fleet, unit: '' });
}

/** A second sync without changes, and a third one with some. */
function reportLaterSyncs({ report, ours, fleet, named }: FleetRun): void {
  add(report, { what: named('second sync, unchanged'), ours: ours.unchangedMs / 1_000, unit: 's' });
  add(report, {
    what: named('… its clones'),
    ours: sumOf(ours.unchanged, 'git upload-pack'),
    unit: '',
    against: { what: 'none', value: 0 },
    maxRatio: 1,
  });
  add(report, { what: named('third sync, 1 % changed'), ours: ours.changedMs / 1_000, unit: 's' });
  add(report, {
    what: named('… its clones'),
    ours: sumOf(ours.changed, 'git upload-pack'),
    unit: '',
    against: { what: 'those that changed', value: fleet / 100 },
    maxRatio: 1,
  });
}

function sumOf(routes: Record<string, number>, prefix: string): number {
  return Object.entries(routes).reduce(
    (sum, [route, count]) => sum + (route.startsWith(prefix) ? count : 0),
    0,
  );
}

function reportMemory(input: {
  report: Report;
  before: Measured;
  ours: Measured;
  small: number;
  large: number;
  growth: number | null;
}): void {
  const { report, before, ours, small, large, growth } = input;
  for (const [name, most] of Object.entries(ours.memory.each)) {
    add(report, {
      what: `peak memory of ${name} at ${large}`,
      ours: most,
      unit: 'MiB',
      against: { what: `at ${small}`, value: before.memory.each[name] ?? 0 },
      maxRatio: growth,
    });
  }
  add(report, {
    what: 'peak memory of all together, with git and scanners',
    ours: ours.memory.all,
    unit: 'MiB',
    against: { what: '2 GiB', value: MAX_MIB },
    maxRatio: 1,
  });
}
