import type { GitRemote, Scanners } from '../domain/ports.ts';
import { Secret } from '../domain/secret.ts';
import { createGitRemote } from '../git/remote.ts';
import { createScanners } from '../scanners/scanners.ts';
import { answerOf, resultOf } from './failure.ts';
import type { Answer, FromRunner, Job, Route, RunnerOptions, ToRunner } from './protocol.ts';

/**
 * Runs git and scanners for a worker. Starting a process copies the tables of all memory of the one that starts it:
 * twenty milliseconds and more from a worker, four from here. It holds no key, and ends with its worker.
 */
const running = new Map<number, AbortController>();
const asked = new Map<number, (answer: Answer) => void>();
/** By origin. */
const proxies = new Map<string, string | null>();
let questions = 0;
let tools: Promise<{ git: GitRemote; scanners: Scanners }> | null = null;

process.on('message', (message: ToRunner) => {
  switch (message.type) {
    case 'begin':
      tools = new Promise((resolve) => resolve(toolsOf(message.options)));
      tools.catch(() => undefined); // each job is told
      break;
    case 'job':
      void run(message.id, message.job);
      break;
    case 'cancel':
      running.get(message.id)?.abort();
      break;
    case 'route':
      asked.get(message.id)?.(message.answer);
      asked.delete(message.id);
  }
});
process.on('disconnect', () => process.exit(0));
// A worker that is told to stop ends its work first, and this with it.
for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) process.on(signal, () => {});

function toolsOf({ git, scanners }: RunnerOptions) {
  return {
    git: createGitRemote({
      ...git,
      async pinFor(url) {
        const { pin, proxy } = await routeTo(url);
        proxies.set(new URL(url).origin, proxy);
        return pin;
      },
      proxyFor: (url) => proxies.get(url.origin) ?? null,
    }),
    scanners: createScanners(scanners),
  };
}

async function run(id: number, job: Job): Promise<void> {
  const controller = new AbortController();
  running.set(id, controller);
  const answer = await answerOf(resultFor(job, controller.signal));
  running.delete(id);
  send({ type: 'done', id, answer });
}

async function resultFor(job: Job, signal: AbortSignal): Promise<unknown> {
  if (tools === null) throw new Error('not begun');
  const { git, scanners } = await tools;
  switch (job.kind) {
    case 'readHead':
      return git.readHead({ ...job.input, token: new Secret(job.input.token), signal });
    case 'clone':
      return git.clone({ ...job.input, token: new Secret(job.input.token), signal });
    case 'scan':
      // the key of fingerprints stays with the worker, which hashes what stands in their place
      return scanners.scan({ ...job.input, hash: (text) => text, signal });
  }
}

async function routeTo(url: string): Promise<Route> {
  questions += 1;
  const id = questions;
  const answered = new Promise<Answer>((resolve) => asked.set(id, resolve));
  send({ type: 'ask', id, url });
  return resultOf(await answered) as Route;
}

function send(message: FromRunner): void {
  process.send?.(message);
}
