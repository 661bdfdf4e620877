import { setTimeout as delay } from 'node:timers/promises';
import { SecuError } from '../domain/errors.ts';
import type { HomeLayout } from './home.ts';
import type { PrintLine } from './print-line.ts';
import { messageOf } from './print-line.ts';
import type { ProcessSpec, RunningProcess } from './processes.ts';
import { forgetProcess, lastLines, startProcess, stopProcess } from './processes.ts';

const FIRST_PAUSE_MS = 500;
const MAX_PAUSE_MS = 30_000;
/** A child that ends during its first start is started again: the Temporal server, for one, ends when another program takes a port that it chose. */
const MAX_FIRST_STARTS = 3;
/** After this long without a failure, the next failure counts as the first. */
const HEALTHY_MS = 60_000;

export interface ChildSpec extends ProcessSpec {
  /** Resolves when the child is ready; polls until then; stops early when the signal aborts. */
  readonly ready: (signal: AbortSignal) => Promise<void>;
  readonly readyTimeoutMs: number;
  /** Runs before each start and restart. */
  readonly beforeStart?: () => void;
}

export interface ChildStatus {
  readonly name: string;
  /** `waiting`: it ended unexpectedly and is restarted after a pause. */
  readonly state: 'starting' | 'running' | 'waiting' | 'stopped';
  readonly pid: number | null;
  readonly restarts: number;
  /** The reason of its last end: `exit 1`, `SIGKILL`. */
  readonly lastEnd: string | null;
  readonly since: Date;
}

export interface Supervisor {
  /**
   * Starts a child and resolves when it is ready. From then on it is restarted whenever it ends. A child that ends
   * before it is ready is started up to three times.
   * @throws SecuError `embedded_failed` with the end of its log, when it does not become ready
   */
  start(spec: ChildSpec): Promise<void>;
  /** Stops all children in reverse order of their start. */
  stop(): Promise<void>;
  status(): ChildStatus[];
}

interface Child {
  readonly spec: ChildSpec;
  running: RunningProcess | null;
  status: ChildStatus;
  /** Resolves when the child is stopped for good. */
  watch: Promise<void>;
}

/** Keeps the children of a home running until `stop`. */
export function createSupervisor({
  layout,
  printLine,
}: {
  layout: HomeLayout;
  printLine: PrintLine;
}): Supervisor {
  const children: Child[] = [];
  const stopping = new AbortController();

  return {
    async start(spec) {
      const child: Child = { spec, running: null, status: firstStatus(spec.name), watch: Promise.resolve() };
      children.push(child);
      for (let starts = 1; ; starts += 1) {
        const failure = await startOnce(child, layout, stopping.signal);
        if (failure === null) break;
        if (failure.cause !== 'ended' || starts === MAX_FIRST_STARTS || stopping.signal.aborted) {
          throw new SecuError('embedded_failed', `${spec.name} did not start: ${failure.message}`);
        }
        printLine(`${spec.name} did not start: ${failure.message}; starting it again`);
        await pause(FIRST_PAUSE_MS, stopping.signal);
      }
      child.watch = keepRunning(child, { layout, printLine, stopping: stopping.signal });
    },
    async stop() {
      stopping.abort();
      for (const child of children.toReversed()) {
        if (child.running !== null) await stopProcess(child.spec, child.running, layout);
        await child.watch;
        update(child, { state: 'stopped', pid: null });
      }
    },
    status: () => children.map(({ status }) => status),
  };
}

/** Starts the children in order; each start waits until the previous child is ready. */
export async function superviseChildren(
  specs: readonly ChildSpec[],
  options: { layout: HomeLayout; printLine: PrintLine },
): Promise<Supervisor> {
  const supervisor = createSupervisor(options);
  try {
    for (const spec of specs) await supervisor.start(spec);
  } catch (err) {
    await supervisor.stop();
    throw err;
  }
  return supervisor;
}

async function keepRunning(
  child: Child,
  { layout, printLine, stopping }: { layout: HomeLayout; printLine: PrintLine; stopping: AbortSignal },
): Promise<void> {
  let pauseMs = FIRST_PAUSE_MS;
  while (child.running !== null) {
    const startedAt = Date.now();
    const end = await child.running.ended;
    if (stopping.aborted) return;
    forgetProcess(child.spec, child.running, layout);
    child.running = null;
    if (Date.now() - startedAt > HEALTHY_MS) pauseMs = FIRST_PAUSE_MS;
    printLine(`${child.spec.name} ended (${end}); starting it again`);
    update(child, { lastEnd: end });
    do {
      update(child, { state: 'waiting', pid: null, restarts: child.status.restarts + 1 });
      if (!(await pause(pauseMs, stopping))) return;
      pauseMs = Math.min(pauseMs * 2, MAX_PAUSE_MS);
      const failure = await startOnce(child, layout, stopping);
      if (failure !== null && !stopping.aborted)
        printLine(`${child.spec.name} does not start: ${failure.message}`);
    } while (child.running === null && !stopping.aborted);
  }
}

interface StartFailure {
  /** `ended`: the child ended by itself. `not_ready`: it never ran, or it did not become ready in time. */
  readonly cause: 'ended' | 'not_ready';
  readonly message: string;
}

/**
 * Starts the child and waits until it is ready. Resolves to null, or to the reason of the failure; then nothing
 * runs.
 */
async function startOnce(
  child: Child,
  layout: HomeLayout,
  stopping: AbortSignal,
): Promise<StartFailure | null> {
  const { spec } = child;
  let running: RunningProcess;
  try {
    spec.beforeStart?.();
    running = startProcess(spec, layout);
  } catch (err) {
    return { cause: 'not_ready', message: messageOf(err) };
  }
  child.running = running;
  update(child, { state: 'starting', pid: running.pid });
  const giveUp = new AbortController();
  const timeout = AbortSignal.timeout(spec.readyTimeoutMs);
  const failure = await Promise.race([
    spec.ready(AbortSignal.any([giveUp.signal, timeout, stopping])).then(
      () => null,
      (err: unknown): StartFailure => ({
        cause: 'not_ready',
        message: timeout.aborted ? `not ready after ${spec.readyTimeoutMs / 1000} s` : messageOf(err),
      }),
    ),
    running.ended.then((end): StartFailure => ({ cause: 'ended', message: `it ended (${end})` })),
  ]);
  giveUp.abort();
  if (failure === null) {
    update(child, { state: 'running', pid: running.pid });
    return null;
  }
  const log = lastLines(running.logFile);
  await stopProcess(spec, running, layout);
  child.running = null;
  if (log === '') return failure;
  return { ...failure, message: `${failure.message}. The end of ${running.logFile}:\n${log}` };
}

function firstStatus(name: string): ChildStatus {
  return { name, state: 'starting', pid: null, restarts: 0, lastEnd: null, since: new Date() };
}

function update(child: Child, change: Partial<ChildStatus>): void {
  child.status = { ...child.status, ...change, since: new Date() };
}

/** False if the wait was cut short because everything is being stopped. */
async function pause(ms: number, stopping: AbortSignal): Promise<boolean> {
  try {
    await delay(ms, undefined, { signal: stopping });
    return true;
  } catch (err) {
    if (stopping.aborted) return false;
    throw err;
  }
}
