import { createHmac } from 'node:crypto';
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { toolPath } from '../../harness/tools.ts';
import { commitStream } from '../../simulator/git/fast-import.ts';
import { runGit } from '../../simulator/git/run.ts';
import type { CommitRecipe, FileContent } from '../../simulator/index.ts';
import type { ScanReport } from '../../src/domain/ports.ts';
import type { ScannersOptions } from '../../src/scanners/scanners.ts';
import { createScanners } from '../../src/scanners/scanners.ts';
import { createSandbox } from '../../src/subprocess/sandbox.ts';

export const BLOB_MAX_BYTES = 10 * 1024 * 1024;

/** Each commit is a day later than the previous one, so that no two commits are the same. */
const FIRST_SECONDS = 1_767_603_600;

export interface ScanWorld {
  folder: string;
  gitleaks: { path: string; version: string };
  /** A bare repository with these commits, in order. */
  repository: (commits: readonly CommitRecipe[]) => Promise<BareRepository>;
  /** One commit with these files. */
  files: (files: Record<string, FileContent>) => Promise<BareRepository>;
  scan: (repository: BareRepository, how?: ScanOptions) => Promise<ScanReport>;
  close: () => Promise<void>;
}

export interface BareRepository {
  gitDirectory: string;
  commit: string;
}

/** Options of the scanners, with one tool for each scanner name. */
export type ScannerTestOptions = Omit<ScannersOptions, 'tools'> & {
  gitleaks: ScannersOptions['tools']['gitleaks'];
  astGrep: ScannersOptions['tools']['ast-grep'];
};

export function createTestScanners({ gitleaks, astGrep, ...options }: ScannerTestOptions) {
  return createScanners({ ...options, tools: { gitleaks, 'ast-grep': astGrep } });
}

export interface ScanOptions {
  history?: 'none' | 'full';
  signal?: AbortSignal;
  options?: Partial<ScannerTestOptions>;
}

/** The real scanners and git, for repositories that a test creates. */
export async function createScanWorld(): Promise<ScanWorld> {
  const folder = await mkdtemp(join(tmpdir(), 'secu-scanners-'));
  const gitleaks = { path: await toolPath('gitleaks'), version: '8.30.1' };
  let created = 0;
  const next = () => {
    created += 1;
    return join(folder, String(created));
  };
  const repository = (commits: readonly CommitRecipe[]) =>
    makeRepository({ home: folder, gitDirectory: `${next()}.git`, commits });
  return {
    folder,
    gitleaks,
    repository,
    files: (files) => repository([{ message: 'All of it', files }]),
    async scan({ gitDirectory, commit }, { history = 'none', signal, options = {} } = {}) {
      const workDirectory = next();
      await mkdir(workDirectory);
      const scanners = createTestScanners({
        gitleaks,
        astGrep: 'left_out',
        workFolder: join(folder, 'work'),
        blobMaxBytes: BLOB_MAX_BYTES,
        scanTimeoutMs: 60_000,
        concurrency: 2,
        ...options,
      });
      return scanners.scan({
        gitDirectory,
        workDirectory,
        commit,
        history,
        hash,
        signal: signal ?? new AbortController().signal,
      });
    },
    close: () => rm(folder, { recursive: true, force: true }),
  };
}

/** Whether this machine can run a program without network. */
export async function canFenceNetwork(folder: string): Promise<boolean> {
  const sandbox = createSandbox({ folder, view: null });
  return (await sandbox.fenceFor({ network: false, writable: [] })).namespaces.length > 0;
}

export function hash(text: string): string {
  return createHmac('sha256', 'key of the tests').update(text).digest('hex');
}

export function git(home: string, args: string[]): Promise<Buffer> {
  return runGit({ home, args });
}

async function makeRepository(input: {
  home: string;
  gitDirectory: string;
  commits: readonly CommitRecipe[];
}): Promise<BareRepository> {
  const { home, gitDirectory, commits } = input;
  await git(home, ['init', '--quiet', '--bare', '--template=', '-b', 'main', gitDirectory]);
  for (const [index, commit] of commits.entries()) {
    const from = index === 0 ? null : 'refs/heads/main^0';
    const seconds = FIRST_SECONDS + index * 86_400;
    await runGit({
      home,
      args: ['--git-dir', gitDirectory, 'fast-import', '--quiet'],
      input: commitStream({ commit, ref: 'refs/heads/main', seconds, from, mark: 1 }),
    });
  }
  const head = await git(home, ['--git-dir', gitDirectory, 'rev-parse', 'refs/heads/main']);
  return { gitDirectory, commit: head.toString().trim() };
}

/** `path:line` and rule of every finding, in a fixed order. */
export function places(report: ScanReport): string[] {
  return report.findings.map(({ path, startLine, ruleId }) => `${path}:${startLine} ${ruleId}`).toSorted();
}

/** The only run of a scanner. */
export function runOf(report: ScanReport, scanner = 'gitleaks'): ScanReport['runs'][number] {
  const [run, ...more] = report.runs.filter(({ name }) => name === scanner);
  if (run === undefined || more.length > 0) throw new Error(`not one run of ${scanner}`);
  return run;
}
