import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { SecuError } from '../../domain/errors.ts';
import { SCANNER_LIMITS } from '../../subprocess/limits.ts';
import { runProcess } from '../../subprocess/process.ts';
import type { Sandbox } from '../../subprocess/sandbox.ts';
import { scannerEnvironment } from '../git-objects.ts';
import type { Leak, ScanExtent } from './report.ts';
import { extentOf, parseReport } from './report.ts';

export const RULES_FILE = fileURLToPath(new URL('rules.toml', import.meta.url));
const REPORT_TEMPLATE = fileURLToPath(new URL('report.tmpl', import.meta.url));
const MAX_REPORT_BYTES = 64 * 1024 * 1024;

/**
 * Most runs end before their garbage matters: collecting it less often takes a fifth off their CPU. The limit holds
 * where much is read. @see https://go.dev/doc/gc-guide
 */
const GARBAGE = { GOGC: '400', GOMEMLIMIT: '512MiB' };

export interface GitleaksProgram {
  path: string;
  sandbox: Sandbox;
}

/**
 * One run of gitleaks over commits of a bare repository, with our rules and nothing that lies in it.
 * @throws SecuError `scanner_crashed` for every end but a good one
 */
export async function runGitleaks(
  input: GitleaksProgram & {
    gitDirectory: string;
    /** For `git log`, none with a space in it. */
    logOptions: readonly string[];
    /** For what it needs beside the repository. */
    folder: string;
    signal: AbortSignal;
  },
): Promise<{ leaks: Leak[]; extent: ScanExtent }> {
  const { gitDirectory, logOptions, folder, signal } = input;
  const nothing = join(folder, 'no-ignores');
  await mkdir(nothing, { recursive: true });
  const flags = ['--no-banner', '--no-color', '--exit-code', '0', '--platform', 'none'];
  const ours = ['-c', RULES_FILE, '-i', nothing, '--ignore-gitleaks-allow'];
  const output = ['-f', 'template', '--report-template', REPORT_TEMPLATE, '-r', '-'];
  const logged = `--log-opts=${logOptions.join(' ')}`;
  const result = await runProcess({
    ...(await input.sandbox.wrap(input.path, ['git', gitDirectory, ...flags, ...ours, ...output, logged])),
    env: { ...scannerEnvironment({ gitDirectory, folder }), ...GARBAGE },
    folder,
    limits: SCANNER_LIMITS,
    maxStdoutBytes: MAX_REPORT_BYTES,
    signal,
  });
  if (result.exitCode !== 0) {
    throw new SecuError('scanner_crashed', 'gitleaks ended in a way that has no meaning', {
      details: { problem: 'exit_code', exitCode: result.exitCode },
    });
  }
  const extent = extentOf(result.stderr);
  const leaks = parseReport(result.stdout);
  if (leaks.length !== extent.leaks) {
    throw new SecuError('scanner_crashed', 'the report of gitleaks is not whole', {
      details: { problem: 'report', found: extent.leaks, reported: leaks.length },
    });
  }
  return { extent, leaks };
}

export function incompleteReadError(): SecuError {
  return new SecuError('scanner_crashed', 'gitleaks read something else than there was', {
    details: { problem: 'incomplete' },
  });
}
