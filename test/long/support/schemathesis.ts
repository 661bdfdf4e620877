import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, rm } from 'node:fs/promises';
import { homedir, tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';

const VERSION = '4.32.5';
const CACHE = join(process.env['XDG_CACHE_HOME'] ?? join(homedir(), '.cache'), 'secu', 'schemathesis');

/** Installs the fuzzer from PyPI into a virtual environment, once. Needs Python >= 3.10 with venv. @returns its program */
export async function installSchemathesis(): Promise<string> {
  const folder = join(CACHE, VERSION);
  const program = join(folder, 'bin', 'schemathesis');
  if (existsSync(program)) return program;
  await mkdir(CACHE, { recursive: true });
  await rm(folder, { recursive: true, force: true });
  await run('python3', ['-m', 'venv', folder]);
  await run(join(folder, 'bin', 'pip'), ['install', '--quiet', `schemathesis==${VERSION}`]);
  if (!existsSync(program)) throw new Error(`schemathesis is not at ${program}`);
  return program;
}

/** Runs a program to its end. @throws with its output, when it does not end with 0 */
export async function run(command: string, args: readonly string[]): Promise<string> {
  const { code, output } = await runToEnd(command, args);
  if (code !== 0) throw new Error(`${command} ${args.join(' ')} ended with ${code}\n${output}`);
  return output;
}

/** Runs a program in this folder, where it may leave files. */
export async function runToEnd(
  command: string,
  args: readonly string[],
  folder = tmpdir(),
): Promise<{ code: number | null; output: string }> {
  const child = spawn(command, args, { cwd: folder, stdio: ['ignore', 'pipe', 'pipe'] });
  const ended = new Promise<number | null>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', resolve);
  });
  const [output, errors, code] = await Promise.all([text(child.stdout), text(child.stderr), ended]);
  return { code, output: output + errors };
}
