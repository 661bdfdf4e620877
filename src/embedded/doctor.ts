import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync, statfsSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import { Connection } from '@temporalio/client';
import { Client } from 'pg';
import { homeHolder, homeLayout } from './home.ts';
import { findPostgres } from './postgres.ts';
import { SYSTEM_PATH } from './processes.ts';
import { messageOf } from './say.ts';
import { findTemporal } from './temporal-server.ts';
import type { ToolPaths } from './tools.ts';
import { listTools } from './tools.ts';

const POSTGRES_AT_LEAST = 15;
const NODE_AT_LEAST = 24;
/** `http.curloptResolve`, by which a checked address is the one that is cloned from, came with git 2.37. */
const GIT_AT_LEAST = [2, 37] as const;

/** One line of `secu doctor`. */
export interface DoctorPart {
  readonly part: string;
  readonly version: string | null;
  /** Where it comes from: `embedded`, `configured`, `path`, `release`, `go`, `machine`, an address. */
  readonly source: string | null;
  readonly status: 'ok' | 'warning' | 'failed';
  readonly detail: string;
  /** What to do about it, when it is not ok. */
  readonly advice: string | null;
}

/** A tool that comes with the dependencies; without version and path where it did not. */
export interface BundledTool {
  readonly name: string;
  readonly purpose: string;
  readonly version: string | null;
  readonly path: string | null;
}

export interface DoctorQuestion {
  readonly home: string;
  /** Null: the embedded PostgreSQL of the home. */
  readonly databaseUrl: string | null;
  /** How to connect to a Temporal server of one's own; null: the embedded one of the home. */
  readonly temporal: { address: string; namespace: string; connect: () => Promise<Connection> } | null;
  readonly toolPaths: ToolPaths;
  readonly bundledTools: readonly BundledTool[];
  readonly diskReserveBytes: number;
}

/** Looks at every part that Secu stands on. Changes nothing; a part that cannot be looked at is `failed`. */
export async function examine(question: DoctorQuestion): Promise<DoctorPart[]> {
  const [database, temporal, tools] = await Promise.all([
    examineDatabase(question),
    examineTemporal(question),
    examineTools(question),
  ]);
  return [
    examineNode(),
    examineGit(),
    examineHome(question),
    examineDisk(question),
    database,
    temporal,
    ...tools,
    ...question.bundledTools.map(examineBundled),
    examineSandbox(),
    ...(question.databaseUrl === null || question.temporal === null ? [examineNeighbours()] : []),
  ];
}

function examineNode(): DoctorPart {
  const version = process.versions.node;
  const fits = Number.parseInt(version, 10) >= NODE_AT_LEAST;
  return part('node', {
    version,
    source: process.execPath,
    ...(fits
      ? {}
      : {
          status: 'failed',
          advice: `Run Secu by "npm start" or "secu", which bring Node ${NODE_AT_LEAST}.`,
        }),
  });
}

function examineGit(): DoctorPart {
  const { status, stdout } = spawnSync('git', ['--version'], { encoding: 'utf8' });
  if (status !== 0) return part('git', { status: 'failed', detail: 'does not run', advice: 'Install git.' });
  const version = stdout.replace('git version', '').trim();
  const [major = 0, minor = 0] = version.split('.').map(Number);
  const fits = major > GIT_AT_LEAST[0] || (major === GIT_AT_LEAST[0] && minor >= GIT_AT_LEAST[1]);
  if (fits) return part('git', { version, source: 'machine' });
  const wanted = GIT_AT_LEAST.join('.');
  return part('git', {
    version,
    source: 'machine',
    status: 'failed',
    detail: 'too old',
    advice: `Install git ${wanted} or newer.`,
  });
}

function examineHome({ home }: DoctorQuestion): DoctorPart {
  if (!existsSync(home)) return part('home', { source: home, detail: 'not made yet' });
  const holder = homeHolder(home);
  const open = (statSync(home).mode & 0o066) !== 0;
  return part('home', {
    source: home,
    detail: holder === null ? 'not in use' : `in use by process ${holder}`,
    ...(open
      ? { status: 'warning', advice: `Others can read ${home}: start Secu once, it closes the folder.` }
      : {}),
  });
}

function examineDisk({ home, diskReserveBytes }: DoctorQuestion): DoctorPart {
  let folder = home;
  while (!existsSync(folder)) folder = dirname(folder);
  const { bavail, bsize } = statfsSync(folder);
  const freeBytes = bavail * bsize;
  const detail = `${(freeBytes / 2 ** 30).toFixed(1)} GiB free, ${(diskReserveBytes / 2 ** 30).toFixed(1)} GiB are kept in reserve`;
  if (freeBytes >= diskReserveBytes) return part('disk', { source: folder, detail });
  const advice = 'No clone starts until there is room: free some, or lower SECU_DISK_RESERVE.';
  return part('disk', { source: folder, detail, status: 'warning', advice });
}

async function examineDatabase({ home, databaseUrl }: DoctorQuestion): Promise<DoctorPart> {
  const source = databaseUrl === null ? 'embedded' : 'DATABASE_URL';
  if (databaseUrl === null && homeHolder(home) === null) {
    return part('postgresql', { source, detail: 'starts with "secu up"' });
  }
  const url = databaseUrl ?? findPostgres(homeLayout(home))?.url;
  if (url === undefined) return part('postgresql', { source, detail: 'is being made' });
  const client = new Client({ connectionString: url, connectionTimeoutMillis: 5_000 });
  try {
    await client.connect();
    const { rows } = await client.query<{ server_version: string }>('SHOW server_version');
    const version = rows[0]?.server_version ?? 'unknown';
    if (Number.parseInt(version, 10) >= POSTGRES_AT_LEAST) return part('postgresql', { version, source });
    const advice = `PostgreSQL >= ${POSTGRES_AT_LEAST} is needed.`;
    return part('postgresql', { version, source, status: 'failed', detail: 'too old', advice });
  } catch (err) {
    const advice = 'Check DATABASE_URL, and that the server takes connections from here.';
    return part('postgresql', { source, status: 'failed', detail: messageOf(err), advice });
  } finally {
    await client.end();
  }
}

async function examineTemporal({ home, temporal }: DoctorQuestion): Promise<DoctorPart> {
  const source = temporal?.address ?? 'embedded';
  if (temporal === null && homeHolder(home) === null) {
    return part('temporal server', { source, detail: 'starts with "secu up"' });
  }
  const embedded = findTemporal(homeLayout(home));
  if (temporal === null && embedded === null)
    return part('temporal server', { source, detail: 'is being made' });
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

async function examineTools({ toolPaths }: DoctorQuestion): Promise<DoctorPart[]> {
  const states = await listTools({ paths: toolPaths });
  return states.map(({ name, purpose, tool, problem, optional }) => {
    if (problem !== null)
      return part(name, {
        status: 'failed',
        detail: problem,
        advice: 'Correct the setting or take it away.',
      });
    if (tool === null) {
      const advice = `Run "secu tools install ${name}".`;
      return part(name, { status: optional ? 'ok' : 'warning', detail: `not installed; ${purpose}`, advice });
    }
    const { version, source, path, status } = tool;
    if (status === 'ok') return part(name, { version, source, detail: path });
    return part(name, {
      version,
      source,
      detail: path,
      status: 'warning',
      advice: 'This is not the version that Secu is tested with.',
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

/** Whether a scanner can be cut off from the network: by a network namespace. */
function examineSandbox(): DoctorPart {
  const isRoot = process.getuid?.() === 0;
  const args = [...(isRoot ? [] : ['--user', '--map-current-user']), '--net', 'true'];
  const { status } = spawnSync('unshare', args, { env: { PATH: SYSTEM_PATH }, stdio: 'ignore' });
  if (status === 0) return part('sandbox', { source: 'machine', detail: 'scanners can run without network' });
  return part('sandbox', {
    source: 'machine',
    status: 'warning',
    detail: 'this machine gives no network namespaces: scanners run with the network of Secu',
    advice: isRoot
      ? 'Allow namespaces to the container.'
      : 'Allow unprivileged user namespaces (kernel.unprivileged_userns_clone, AppArmor).',
  });
}

/** The embedded servers listen on loopback, which every local user reaches; Temporal's asks for no password. */
function examineNeighbours(): DoctorPart {
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
      'Use a machine of its own, or TEMPORAL_ADDRESS and DATABASE_URL with servers that ask who is there.',
  });
}

/** A part that is well, unless `facts` say otherwise. */
export function part(name: string, facts: Partial<DoctorPart>): DoctorPart {
  return { part: name, version: null, source: null, status: 'ok', detail: '', advice: null, ...facts };
}
