import { readlinkSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { SecuError } from '../domain/errors.ts';
import { PROTECTED } from '../domain/isolation.ts';
import { SCANNER_LIMITS } from '../subprocess/limits.ts';
import { runProcess } from '../subprocess/process.ts';
import type { Sandbox } from '../subprocess/sandbox.ts';
import { SYSTEM_PATH } from '../subprocess/system-path.ts';
import type { ProbeInput, ProbeResult } from './protocol.ts';

const PROBE = fileURLToPath(new URL('probe.sh', import.meta.url));
const MAX_OUTPUT_BYTES = 4_096;

/**
 * Runs a program as scanners are run, which tries to reach what is protected.
 * @throws SecuError `scanner_crashed` if it did not run to its end
 */
export async function probeReach(
  input: ProbeInput & { sandbox: Sandbox; signal: AbortSignal },
): Promise<ProbeResult> {
  const { ownFolder, otherFolder, keyPaths, pid, sandbox, signal } = input;
  const { exitCode, stdout } = await runProcess({
    command: '/bin/sh',
    args: [PROBE, String(pid), readlinkSync('/proc/self/ns/net'), otherFolder, ...keyPaths],
    env: { PATH: SYSTEM_PATH, SECU_IS_PROBE: '1' },
    fence: await sandbox.fenceFor({ network: false, writable: [ownFolder] }),
    folder: ownFolder,
    limits: SCANNER_LIMITS,
    maxStdoutBytes: MAX_OUTPUT_BYTES,
    signal,
  });
  const lines = stdout.toString('utf8').split('\n');
  if (exitCode !== 0 || !lines.includes('complete'))
    throw new SecuError('scanner_crashed', 'the isolation of scanners could not be probed');
  return PROTECTED.filter((name) => lines.includes(name));
}
