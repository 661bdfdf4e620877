import type { GitRemote, Scanners } from '../domain/ports.ts';
import { Secret } from '../domain/secret.ts';
import { createGitRemote } from '../git/remote.ts';
import { createScanners } from '../scanners/scanners.ts';
import type { Sandbox } from '../subprocess/sandbox.ts';
import { createSandbox } from '../subprocess/sandbox.ts';
import { answerOf, resultOf } from './failure.ts';
import { probeReach } from './probe.ts';
import type { Answer, FromRunner, Job, Route, RunnerOptions, ToRunner } from './protocol.ts';

/**
 * Runs git and scanners for a worker. Starting a process copies the page tables of its parent: that takes 20 ms or
 * more from a worker, and 4 ms from this small process. It holds no key and ends with its worker.
 */
const running = new Map<number, AbortController>();
const routeRequests = new Map<number, (answer: Answer) => void>();
/** Keyed by origin. */
const proxies = new Map<string, string | null>();
let routeRequestCount = 0;
let tools: Promise<{ git: GitRemote; scanners: Scanners; sandbox: Sandbox }> | null = null;

process.on('message', (message: ToRunner) => {
  switch (message.type) {
    case 'options':
      tools = new Promise((resolve) => resolve(toolsOf(message.options)));
      tools.catch(() => undefined); // each job reports it
      break;
    case 'job':
      void runJob(message.id, message.job);
      break;
    case 'cancel':
      running.get(message.id)?.abort();
      break;
    case 'route':
      routeRequests.get(message.id)?.(message.answer);
      routeRequests.delete(message.id);
  }
});
process.on('disconnect', () => process.exit(0));
// On these signals the worker finishes its jobs and then disconnects, which ends this process.
for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) process.on(signal, () => {});

function toolsOf({ git, scanners, view, requireIsolation }: RunnerOptions) {
  const sandbox = createSandbox({ folder: scanners.workFolder, view, isRequired: requireIsolation });
  return {
    sandbox,
    git: createGitRemote({
      ...git,
      sandbox,
      async pinFor(url) {
        const { pin, proxy } = await routeTo(url);
        proxies.set(new URL(url).origin, proxy);
        return pin;
      },
      proxyFor: (url) => proxies.get(url.origin) ?? null,
    }),
    scanners: createScanners(scanners, sandbox),
  };
}

async function runJob(id: number, job: Job): Promise<void> {
  const controller = new AbortController();
  running.set(id, controller);
  const answer = await answerOf(resultFor(job, controller.signal));
  running.delete(id);
  send({ type: 'done', id, answer });
}

async function resultFor(job: Job, signal: AbortSignal): Promise<unknown> {
  if (tools === null) throw new Error('a job came before the options');
  const { git, scanners, sandbox } = await tools;
  switch (job.kind) {
    case 'readHead':
      return git.readHead({ ...job.input, token: new Secret(job.input.token), signal });
    case 'listBranches':
      return git.listBranches({ ...job.input, token: new Secret(job.input.token), signal });
    case 'clone':
      return git.clone({ ...job.input, token: new Secret(job.input.token), signal });
    case 'scan':
      // the worker holds the fingerprint key, so the worker hashes the texts that are returned instead of fingerprints
      return scanners.scan({ ...job.input, hash: (text) => text, signal });
    case 'probe':
      return probeReach({ ...job.input, sandbox, signal });
  }
}

async function routeTo(url: string): Promise<Route> {
  routeRequestCount += 1;
  const id = routeRequestCount;
  const answered = new Promise<Answer>((resolve) => routeRequests.set(id, resolve));
  send({ type: 'route_request', id, url });
  return resultOf(await answered) as Route;
}

function send(message: FromRunner): void {
  process.send?.(message);
}
