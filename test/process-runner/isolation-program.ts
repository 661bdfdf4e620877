import { spawnSync } from 'node:child_process';
import { chmodSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { awaitUntil } from '../../harness/await-until.ts';
import { Secret } from '../../src/domain/secret.ts';
import { findIsolation, NO_ISOLATION } from '../../src/process-runner/isolation.ts';
import { createRunner } from '../../src/process-runner/runner.ts';
import { writeRules } from '../../src/scanners/gitleaks/rules.ts';
import type { HostileReport, HostileTargets } from './hostile-targets.ts';

/**
 * A process that holds keys, as Secu does, and starts a hostile program as git and as a scanner. Prints their reports.
 * `isolation-program.ts HOME`, with the rest in the environment.
 */
const HOSTILE = fileURLToPath(new URL('hostile.js', import.meta.url));
const [home = ''] = process.argv.slice(2);
const { TEST_CANARY: canary = '', TEST_TCP: tcp = '{}', TEST_ISOLATED: isolated = '1' } = process.env;
const folders = {
  scansFolder: join(home, 'work', 'scans'),
  toolsFolder: join(home, 'work', 'tools'),
  cacheFolder: join(home, 'work', 'compiled'),
  rootFolder: join(home, 'work', 'root'),
};
const HOSTILE_GIT = fileURLToPath(new URL('hostile-git.sh', import.meta.url));
const program = join(home, 'programs', 'hostile');
const gitProgram = join(home, 'programs', 'hostile-git');
mkdirSync(folders.toolsFolder, { recursive: true });
const rulesFile = writeRules(folders.toolsFolder);
const socket = join(home, 'run', 'database.sock');
mkdirSync(dirname(socket), { recursive: true });
const server = createServer((connection) => connection.destroy()).listen(socket);
const other = join(folders.scansFolder, 'other');
mkdirSync(other, { recursive: true });
writeFileSync(join(other, 'secret.txt'), canary);
writeHostileScanner({
  canary,
  files: [join(home, 'keys', 'keys.txt'), join(home, 'settings.env')],
  folders: [join(home, 'keys'), join(home, 'postgres'), '/root', '/home'],
  scansFolder: folders.scansFolder,
  otherScan: join(other, 'secret.txt'),
  readOnly: [HOSTILE, process.execPath, rulesFile],
  tcp: JSON.parse(tcp) as HostileTargets['tcp'],
  sockets: { 'a socket of the database': { path: socket } },
});
writeHostileGit({
  CANARY: canary,
  KEY: join(home, 'keys', 'keys.txt'),
  SETTINGS: join(home, 'settings.env'),
  DATABASE: join(home, 'postgres'),
  SOCKET: socket,
  SCANS: folders.scansFolder,
  OTHER: join(other, 'secret.txt'),
  CODE: HOSTILE,
  RULES: rulesFile,
});
// after the programs were written, which become part of the file system of the runner
const isolation =
  isolated === '1'
    ? await findIsolation({ folders, programs: [program, gitProgram, HOSTILE, HOSTILE_GIT] })
    : NO_ISOLATION;
if (isolation.uid !== null) spawnSync('chown', ['-R', String(isolation.uid), folders.scansFolder]);
const runner = createRunner({
  isolation,
  environment: process.env,
  options: {
    git: {
      workFolder: folders.toolsFolder,
      gitBinary: gitProgram,
      clonesPerOrigin: 1,
      cloneTimeoutMs: 60_000,
      cloneMaxBytes: 1_000_000,
      headTimeoutMs: 60_000,
    },
    scanners: {
      tools: { gitleaks: { path: program, version: '8.30.1' }, 'ast-grep': 'left_out' },
      workFolder: folders.toolsFolder,
      blobMaxBytes: 1_000_000,
      scanTimeoutMs: 60_000,
      concurrency: 1,
    },
    requireIsolation: isolated === '1' && isolation.level === 'namespaces',
  },
  routeFor: async () => ({ pin: null, proxy: null }),
  onStderr: (text) => process.stderr.write(text),
});
const scanner = await reportOf(join(folders.scansFolder, 'own'), (signal, workDirectory) =>
  runner.scan({
    gitDirectory: join(workDirectory, 'repository.git'),
    workDirectory,
    commit: readFileSync(join(workDirectory, 'repository.git', 'refs', 'heads', 'main'), 'utf8').trim(),
    history: 'none',
    hash: (text) => text,
    signal,
  }),
);
const git = await reportOf(join(folders.scansFolder, 'cloned'), (signal, folder) =>
  runner.git.clone({
    baseUrl: 'http://127.0.0.1:9',
    fullPath: 'a/b',
    token: new Secret('a token'),
    directory: join(folder, 'repository.git'),
    history: 'none',
    signal,
  }),
);
await runner.close();
server.close();
process.stdout.write(JSON.stringify({ level: isolation.level, scanner, git }));

function writeHostileScanner(targets: HostileTargets): void {
  const text = `#!${process.execPath}\nimport('${HOSTILE}').then(({ attack }) => attack(${JSON.stringify(targets)}));\n`;
  writeFileSync(program, text);
  chmodSync(program, 0o755);
}

function writeHostileGit(targets: Record<string, string>): void {
  const variables = Object.entries(targets).map(([name, value]) => `${name}='${value}'`);
  writeFileSync(gitProgram, ['#!/bin/sh', ...variables, `. '${HOSTILE_GIT}'`, ''].join('\n'));
  chmodSync(gitProgram, 0o755);
}

/** Runs the job until the hostile program has written its report, which lies in the folder of the scan. */
async function reportOf(
  folder: string,
  start: (signal: AbortSignal, folder: string) => Promise<unknown>,
): Promise<HostileReport> {
  mkdirSync(folder, { recursive: true });
  const stop = new AbortController();
  const job = start(stop.signal, folder).catch((err: unknown) => err);
  const findReport = () => {
    const name = readdirSync(folder, { recursive: true, encoding: 'utf8' }).find((path) =>
      path.endsWith('report.json'),
    );
    return name === undefined ? undefined : join(folder, name);
  };
  let error: unknown = null;
  void job.then((result) => (error = result));
  await awaitUntil(() => findReport() !== undefined || error !== null, {
    what: 'the report of the hostile program',
  });
  const file = findReport();
  if (file === undefined) throw error;
  const report = JSON.parse(readFileSync(file, 'utf8')) as HostileReport;
  stop.abort();
  await job;
  return report;
}
