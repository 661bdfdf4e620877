import type { ChildProcess } from 'node:child_process';
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';

/**
 * Runs a program of this folder in a separate process, to measure its own memory and CPU, and returns its answer
 * to the input.
 */
export async function measured<T>(
  program: string,
  input: unknown,
  options: { heapMib?: number } = {},
): Promise<T> {
  const child = start(program, options);
  try {
    return await ask<T>(child, input);
  } finally {
    await end(child);
  }
}

/** `heapMib` limits the heap, so that growth shows retained memory and not uncollected garbage. */
export function start(program: string, { heapMib }: { heapMib?: number } = {}): ChildProcess {
  const heap = heapMib === undefined ? [] : [`--max-old-space-size=${heapMib}`, '--max-semi-space-size=4'];
  return fork(fileURLToPath(new URL(program, import.meta.url)), {
    execArgv: ['--disable-warning=ExperimentalWarning', '--expose-gc', ...heap],
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
  });
}

export async function ask<T>(child: ChildProcess, message: unknown): Promise<T> {
  const { promise, resolve, reject } = Promise.withResolvers<T>();
  const onExit = (code: number | null) =>
    reject(new Error(`the program ended (${String(code)}) before it answered`));
  child.once('message', resolve);
  child.once('exit', onExit);
  child.send(message as object);
  try {
    return await promise;
  } finally {
    child.off('message', resolve);
    child.off('exit', onExit);
  }
}

export async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exited = once(child, 'exit');
  if (child.connected) child.disconnect();
  await exited;
}
