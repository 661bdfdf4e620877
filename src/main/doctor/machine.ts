import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync, statfsSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import { Connection } from '@temporalio/client';
import { Client } from 'pg';
import type { Isolation } from '../../domain/isolation.ts';
import { isIsolated } from '../../domain/isolation.ts';
import { homeHolder, homeLayout } from '../../embedded/home.ts';
import { findPostgres } from '../../embedded/postgres.ts';
import { messageOf } from '../../embedded/print-line.ts';
import { findTemporal } from '../../embedded/temporal-server.ts';
import type { ToolPaths } from '../../embedded/tools.ts';
import { listTools } from '../../embedded/tools.ts';
import { describeIsolation, ISOLATION_ADVICE } from '../scanner-isolation.ts';
import type { DoctorPart } from './part.ts';
import { part } from './part.ts';

const MIN_POSTGRES_VERSION = 15;
const MIN_NODE_VERSION = 24;
/** `http.curloptResolve`, by which a checked address is the one that is cloned from, came with git 2.37. */
const MIN_GIT_VERSION = [2, 37] as const;

/** A tool from the npm dependencies. `version` and `path` are null when it is not installed. */
export interface BundledTool {
  readonly name: string;
  readonly purpose: string;
  readonly version: string | null;
  readonly path: string | null;
}

export interface MachineFacts {
  readonly home: string;
  /** Null: the embedded PostgreSQL of this home. */
  readonly databaseUrl: string | null;
  /** The configured Temporal server. Null: the embedded server of this home. */
  readonly temporal: { address: string; namespace: string; connect: () => Promise<Connection> } | null;
  readonly toolPaths: ToolPaths;
  readonly bundledTools: readonly BundledTool[];
  readonly diskReserveBytes: number;
  /** Probes with the command that scans use. */
  readonly probeIsolation: () => Promise<Isolation>;
}

/** Checks every part of the machine that Secu needs. Changes nothing; a part that cannot be checked is `failed`. */
export async function examineMachine(facts: MachineFacts): Promise<DoctorPart[]> {
  const [database, temporal, tools, sandbox] = await Promise.all([
    examineDatabase(facts),
    examineTemporal(facts),
    examineTools(facts),
    examineSandbox(facts),
  ]);
  return [
    examineNode(),
    examineGit(),
    examineHome(facts),
    examineDisk(facts),
    database,
    temporal,
    ...tools,
    ...facts.bundledTools.map(examineBundled),
    sandbox,
    ...(facts.databaseUrl === null || facts.temporal === null ? [examineLocalUsers()] : []),
  ];
}

function examineNode(): DoctorPart {
  const version = process.versions.node;
  const fits = Number.parseInt(version, 10) >= MIN_NODE_VERSION;
  return part('node', {
    version,
    source: process.execPath,
    ...(fits
      ? {}
      : {
          status: 'failed',
          advice: `Run Secu by "npm start" or "secu", which bring Node ${MIN_NODE_VERSION}.`,
        }),
  });
}

function examineGit(): DoctorPart {
  const { status, stdout } = spawnSync('git', ['--version'], { encoding: 'utf8' });
  if (status !== 0) return part('git', { status: 'failed', detail: 'does not run', advice: 'Install git.' });
  const version = stdout.replace('git version', '').trim();
  const [major = 0, minor = 0] = version.split('.').map(Number);
  const fits = major > MIN_GIT_VERSION[0] || (major === MIN_GIT_VERSION[0] && minor >= MIN_GIT_VERSION[1]);
  if (fits) return part('git', { version, source: 'machine' });
  const expected = MIN_GIT_VERSION.join('.');
  return part('git', {
    version,
    source: 'machine',
    status: 'failed',
    detail: 'too old',
    advice: `Install git ${expected} or newer.`,
  });
}

function examineHome({ home }: MachineFacts): DoctorPart {
  if (!existsSync(home)) return part('home', { source: home, detail: 'not created yet' });
  const holder = homeHolder(home);
  const open = (statSync(home).mode & 0o066) !== 0;
  return part('home', {
    source: home,
    detail: holder === null ? 'not in use' : `in use by process ${holder}`,
    ...(open
      ? { status: 'warning', advice: `Other users can read ${home}. Start Secu once: it corrects the mode.` }
      : {}),
  });
}

function examineDisk({ home, diskReserveBytes }: MachineFacts): DoctorPart {
  let folder = home;
  while (!existsSync(folder)) folder = dirname(folder);
  const { bavail, bsize } = statfsSync(folder);
  const freeBytes = bavail * bsize;
  const detail = `${(freeBytes / 2 ** 30).toFixed(1)} GiB free, ${(diskReserveBytes / 2 ** 30).toFixed(1)} GiB are kept in reserve`;
  if (freeBytes >= diskReserveBytes) return part('disk', { source: folder, detail });
  const advice = 'No clone starts until more space is free: delete files, or lower SECU_DISK_RESERVE.';
  return part('disk', { source: folder, detail, status: 'warning', advice });
}

async function examineDatabase({ home, databaseUrl }: MachineFacts): Promise<DoctorPart> {
  const source = databaseUrl === null ? 'embedded' : 'DATABASE_URL';
  if (databaseUrl === null && homeHolder(home) === null) {
    return part('postgresql', { source, detail: 'starts with "secu up"' });
  }
  const url = databaseUrl ?? findPostgres(homeLayout(home))?.url;
  if (url === undefined) return part('postgresql', { source, detail: 'is being created' });
  const client = new Client({ connectionString: url, connectionTimeoutMillis: 5_000 });
  try {
    await client.connect();
    const { rows } = await client.query<{ server_version: string }>('SHOW server_version');
    const version = rows[0]?.server_version ?? 'unknown';
    if (Number.parseInt(version, 10) >= MIN_POSTGRES_VERSION) return part('postgresql', { version, source });
    const advice = `PostgreSQL >= ${MIN_POSTGRES_VERSION} is needed.`;
    return part('postgresql', { version, source, status: 'failed', detail: 'too old', advice });
  } catch (err) {
    const advice = 'Check DATABASE_URL, and that the server takes connections from here.';
    return part('postgresql', { source, status: 'failed', detail: messageOf(err), advice });
  } finally {
    await client.end();
  }
}

async function examineTemporal({ home, temporal }: MachineFacts): Promise<DoctorPart> {
  const source = temporal?.address ?? 'embedded';
  if (temporal === null && homeHolder(home) === null) {
    return part('temporal server', { source, detail: 'starts with "secu up"' });
  }
  const embedded = findTemporal(homeLayout(home));
  if (temporal === null && embedded === null)
    return part('temporal server', { source, detail: 'is being created' });
  const address = temporal?.address ?? embedded?.address ?? '';
  const namespace = temporal?.namespace ?? embedded?.namespace ?? '';
  try {
    const connection = await (temporal?.connect() ?? Connection.connect({ address, connectTimeout: 5_000 }));
    try {
      const info = await connection.withDeadline(Date.now() + 5_000, () =>
        connection.workflowService.getSystemInfo({}),
      );
      await connection.withDeadline(Date.now() + 5_000, () =>
        connection.workflowService.describeNamespace({ namespace }),
      );
      return part('temporal server', {
        version: info.serverVersion ?? null,
        source,
        detail: `namespace ${namespace}`,
      });
    } finally {
      await connection.close();
    }
  } catch (err) {
    const advice = 'Check TEMPORAL_ADDRESS, TEMPORAL_NAMESPACE and its TLS settings.';
    return part('temporal server', { source, status: 'failed', detail: messageOf(err), advice });
  }
}

async function examineTools({ toolPaths, temporal }: MachineFacts): Promise<DoctorPart[]> {
  const states = await listTools({ paths: toolPaths });
  return states.map(({ name, purpose, tool, problem, optional }) => {
    if (problem !== null)
      return part(name, {
        status: 'failed',
        detail: problem,
        advice: 'Correct the setting or remove it.',
      });
    if (tool === null) {
      const advice = `Run "secu tools install ${name}".`;
      const isUnused = optional || (name === 'temporal' && temporal !== null);
      return part(name, { status: isUnused ? 'ok' : 'warning', detail: `not installed; ${purpose}`, advice });
    }
    const { version, source, path, status } = tool;
    if (status === 'ok') return part(name, { version, source, detail: path });
    return part(name, {
      version,
      source,
      detail: path,
      status: 'warning',
      advice: 'Secu is not tested with this version.',
    });
  });
}

function examineBundled({ name, purpose, version, path }: BundledTool): DoctorPart {
  if (version !== null) return part(name, { version, source: 'npm', detail: path ?? '' });
  return part(name, {
    status: 'warning',
    detail: `not installed; ${purpose}`,
    advice: 'Run "npm ci" again, without leaving out optional dependencies.',
  });
}

async function examineSandbox({ probeIsolation }: MachineFacts): Promise<DoctorPart> {
  const failed = { source: 'machine', status: 'warning', advice: ISOLATION_ADVICE } as const;
  try {
    const isolation = await probeIsolation();
    const detail = `${isolation.level}: ${describeIsolation(isolation)}`;
    return part('sandbox', isIsolated(isolation) ? { source: 'machine', detail } : { ...failed, detail });
  } catch (err) {
    return part('sandbox', { ...failed, status: 'failed', detail: messageOf(err) });
  }
}

/** The embedded servers listen on loopback, which every local user can reach; Temporal asks for no password. */
function examineLocalUsers(): DoctorPart {
  const own = process.getuid?.();
  const others = readFileSync('/etc/passwd', 'utf8')
    .split('\n')
    .map((line) => line.split(':'))
    .filter(
      ([, , uid, , , , shell = '']) => Number(uid) >= 1_000 && Number(uid) !== own && shell.endsWith('sh'),
    );
  const detail = 'the embedded Temporal server and its web UI are open to every local user of this machine';
  if (others.length === 0)
    return part('local users', { source: 'machine', detail: `${detail}; no other one can sign in` });
  return part('local users', {
    source: 'machine',
    status: 'warning',
    detail: `${detail}; other users can sign in: ${others.map(([name]) => name).join(', ')}`,
    advice:
      'Run Secu on a separate machine, or set TEMPORAL_ADDRESS and DATABASE_URL to servers that require a password.',
  });
}
