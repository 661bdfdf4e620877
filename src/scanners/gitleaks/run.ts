import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { SecuError } from '../../domain/errors.ts';
import { SCANNER_LIMITS } from '../../subprocess/limits.ts';
import { localGitEnvironment } from '../../subprocess/local-git.ts';
import { startProcess } from '../../subprocess/process.ts';
import type { Sandbox } from '../../subprocess/sandbox.ts';
import type { Leak, ScanExtent } from './report.ts';
import { extentOf, readReport } from './report.ts';

const REPORT_TEMPLATE = fileURLToPath(new URL('report.tmpl', import.meta.url));
/** Ends a run that writes an endless report, which is read line by line. */
const MAX_REPORT_BYTES = 1024 * 1024 * 1024;
/**
 * gitleaks receives only the ID of a commit. git's own header would hold names and dates, and gitleaks ends at a
 * date that it cannot parse.
 */
const COMMIT_FORMAT = '--format=commit%x20%H';

/**
 * Most runs end before garbage matters, so it is collected less often, which saves a fifth of their CPU time. The
 * memory limit still applies to large runs.
 * @see https://go.dev/doc/gc-guide
 */
const GARBAGE = { GOGC: '400', GOMEMLIMIT: '512MiB' };

export interface GitleaksProgram {
  path: string;
  rulesFile: string;
  sandbox: Sandbox;
  /** Leaks of one run that are held in memory, the most severe first. */
  maxLeaks: number;
}

export interface GitleaksRun {
  leaks: Leak[];
  extent: ScanExtent;
  /** Whether there were more leaks than are held. */
  hasMore: boolean;
}

/**
 * Runs gitleaks over commits of a bare repository, with our rules and without the repository's own configuration.
 * @throws SecuError `scanner_crashed` unless the run was complete
 */
export async function runGitleaks(
  input: GitleaksProgram & {
    gitDirectory: string;
    /** Repositories whose objects it borrows. */
    borrowed?: readonly string[];
    /** Arguments of `git log`; none may contain a space. */
    logOptions: readonly string[];
    /** For temporary files. */
    folder: string;
    signal: AbortSignal;
  },
): Promise<GitleaksRun> {
  const { gitDirectory, borrowed = [], logOptions, folder, signal, rulesFile, maxLeaks } = input;
  const nothing = join(folder, 'no-ignores');
  await mkdir(nothing, { recursive: true });
  const flags = ['--no-banner', '--no-color', '--exit-code', '0', '--platform', 'none'];
  const ours = ['-c', rulesFile, '-i', nothing, '--ignore-gitleaks-allow'];
  const output = ['-f', 'template', '--report-template', REPORT_TEMPLATE, '-r', '-'];
  const logged = `--log-opts=${[COMMIT_FORMAT, ...logOptions].join(' ')}`;
  const running = startProcess({
    command: input.path,
    args: ['git', gitDirectory, ...flags, ...ours, ...output, logged],
    fence: await input.sandbox.fenceFor({
      network: false,
      writable: [folder],
      readable: [gitDirectory, ...borrowed],
    }),
    env: { ...localGitEnvironment({ gitDirectory, folder }), ...GARBAGE },
    folder,
    limits: SCANNER_LIMITS,
    maxStdoutBytes: MAX_REPORT_BYTES,
    signal,
  });
  try {
    const { leaks, total } = await readReport(running.stdout, { maxLeaks });
    const { exitCode, stderr } = await running.ended;
    if (exitCode !== 0) {
      throw new SecuError('scanner_crashed', `gitleaks exited with ${exitCode}`, {
        details: { problem: 'exit_code', exitCode },
      });
    }
    const extent = extentOf(stderr);
    if (total === extent.leaks) return { extent, leaks, hasMore: total > leaks.length };
    throw new SecuError('scanner_crashed', 'the report of gitleaks is incomplete', {
      details: { problem: 'report', found: extent.leaks, reported: total },
    });
  } finally {
    await running.stop();
  }
}

export function incompleteReadError(): SecuError {
  return new SecuError('scanner_crashed', 'gitleaks did not read exactly the files that it was given', {
    details: { problem: 'incomplete' },
  });
}
