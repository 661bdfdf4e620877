import type { ChildProcess } from 'node:child_process';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { readProcessStart } from '../../tools/lock.js';

/**
 * Runs a program of this folder in a separate process; resolves with the JSON of its first line of output.
 */
export async function startProgram<T>(
  name: string,
  args: readonly string[],
  options: { uid?: number; gid?: number } = {},
): Promise<{ child: ChildProcess; report: T }> {
  const program = fileURLToPath(new URL(name, import.meta.url));
  const child = spawn(process.execPath, [program, ...args], {
    ...options,
    cwd: '/',
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const lines = createInterface({ input: child.stdout });
  const ended = once(child, 'exit').then(([code]) => {
    throw new Error(`${name} ended with ${String(code)} before it said anything`);
  });
  const [line] = (await Promise.race([once(lines, 'line'), ended])) as [string];
  ended.catch(() => {}); // from now on it may end
  return { child, report: JSON.parse(line) as T };
}

export async function killHard(child: ChildProcess): Promise<void> {
  const ended = once(child, 'exit');
  child.kill('SIGKILL');
  await ended;
}

/** A zombie counts as ended: it only waits for its parent to read its exit code. */
export function isAlive(pid: number): boolean {
  return readProcessStart(pid) !== null;
}

/** Polls a condition that another process makes true. */
export async function until(
  what: string,
  condition: () => boolean | Promise<boolean>,
  timeoutMs = 60_000,
): Promise<void> {
  const deadline = Date.now() + timeoutMs;
  while (!(await condition())) {
    if (Date.now() > deadline) throw new Error(`${what}: not within ${timeoutMs} ms`);
    await delay(30);
  }
}
