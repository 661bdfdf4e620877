import type { ChildProcess } from 'node:child_process';
import { rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { createLimiter } from '../concurrency/limiter.ts';
import { canceled } from '../domain/errors.ts';
import type { CloneResult, GitRemote, RemoteRepository, Scanners, ScanReport } from '../domain/ports.ts';
import { fingerprintAs } from '../scanners/fingerprint.ts';
import { answerOf, resultOf } from './failure.ts';
import type { RunnerIsolation } from './isolation.ts';
import { compileCacheOf, giveScanFolder, NO_ISOLATION, spawnIsolated } from './isolation.ts';
import type {
  Answer,
  FromRunner,
  Job,
  ProbeInput,
  ProbeResult,
  Route,
  RunnerOptions,
  ToRunner,
} from './protocol.ts';

const PROGRAM = fileURLToPath(new URL('program.ts', import.meta.url));
/**
 * Starting a process takes longer the more memory the starter has; see `program.ts`. By default V8 lets the heap
 * grow to three times the live 12 MiB before it collects garbage. Here it collects at 24 MiB, which costs some ms
 * every seventy scans.
 */
const NODE_OPTIONS = [
  '--disable-warning=ExperimentalWarning',
  '--max-semi-space-size=2',
  '--initial-old-space-size=16',
  '--heap-growing-percent=50',
];
/** An idle process holds memory, and a new one starts within a second. */
const IDLE_MS = 60_000;
const MAX_STDERR_CHARACTERS = 4_096;
const INHERITED = ['PATH', 'NODE_COMPILE_CACHE', 'HOME', 'LANG', 'TZ', 'SECU_PART_OF'];

export interface Runner {
  git: GitRemote;
  scan: Scanners['scan'];
  /** What a program that is started as a scanner can reach. */
  probe(input: ProbeInput & { signal: AbortSignal }): Promise<ProbeResult>;
  /** Ends the process and all processes that it started; open jobs fail. */
  close(): Promise<void>;
}

interface RunnerInput {
  options: Omit<RunnerOptions, 'view'>;
  /** How the process is separated from this one; default: not at all. */
  isolation?: RunnerIsolation;
  /** The environment of this process; the runner inherits a few of its variables. */
  environment: Readonly<Record<string, string | undefined>>;
  /** @throws SecuError as `OutboundPolicy.pinFor` */
  routeFor: (url: string) => Promise<Route>;
  /** Receives the end of the standard error of an ended process; our own code writes nothing there. */
  onStderr: (text: string) => void;
  idleMs?: number;
}

/**
 * Runs git and the scanners in a separate process, which starts with the first job and ends when idle. Throws the
 * errors of `GitRemote` and `Scanners`, and `scanner_crashed` with the problem `runner_ended` for a job that ended
 * its process twice.
 */
export function createRunner(input: RunnerInput): Runner {
  const { run, close } = createJobRunner(input);
  return {
    git: {
      readHead: (repository) =>
        run({ kind: 'readHead', input: messageOf(repository) }, repository.signal) as ReturnType<
          GitRemote['readHead']
        >,
      listBranches: (repository) =>
        run({ kind: 'listBranches', input: messageOf(repository) }, repository.signal) as ReturnType<
          GitRemote['listBranches']
        >,
      clone: ({ directory, history, known = [], branches = [], ...repository }) =>
        run(
          { kind: 'clone', input: { ...messageOf(repository), directory, history, known, branches } },
          repository.signal,
        ) as Promise<CloneResult>,
    },
    async scan({ hash, signal, ...job }) {
      const report = (await run({ kind: 'scan', input: job }, signal)) as ScanReport;
      const findings = report.findings.map((finding) => ({
        ...finding,
        fingerprint: fingerprintAs(finding.fingerprint, hash),
      }));
      return { ...report, findings };
    },
    probe: ({ signal, ...job }) => run({ kind: 'probe', input: job }, signal) as Promise<ProbeResult>,
    close,
  };
}

/**
 * Runs jobs in one shared process. If it ends unexpectedly, each of its jobs is retried once, alone in its own
 * process. A job that ends that process too always runs alone from then on.
 */
function createJobRunner(input: RunnerInput) {
  const shared = createProcess(input);
  const limitIsolated = createLimiter(1);
  const isolated = new Set<ReturnType<typeof createProcess>>();
  /** Jobs that ended a process in which no other job ran. */
  const dangerous = new Set<string>();
  let isClosed = false;

  async function run(job: Job, signal: AbortSignal): Promise<unknown> {
    if (!dangerous.has(keyOf(job))) {
      const answer = await shared.runJob(job, signal);
      if (answer !== ENDED || isClosed) return resultOf(answer);
      if (signal.aborted) throw canceled();
    }
    return limitIsolated(signal, () => runAlone(job, signal));
  }

  async function runAlone(job: Job, signal: AbortSignal): Promise<unknown> {
    if (isClosed) return resultOf(ENDED);
    // a partial clone of the ended process would block the retry
    if (job.kind === 'clone') await rm(job.input.directory, { recursive: true, force: true });
    const own = createProcess(input);
    isolated.add(own);
    try {
      const answer = await own.runJob(job, signal);
      if (answer === ENDED && !isClosed) dangerous.add(keyOf(job));
      return resultOf(answer);
    } finally {
      isolated.delete(own);
      await own.close();
    }
  }

  async function close(): Promise<void> {
    isClosed = true;
    await Promise.all([shared, ...isolated].map((process) => process.close()));
  }

  return { run, close };
}

/** Jobs for the same repository, or scans of the same commit, have the same key. */
function keyOf({ kind, input }: Job): string {
  switch (kind) {
    case 'scan':
      return JSON.stringify([kind, input.commit]);
    case 'probe':
      return kind;
    default:
      return JSON.stringify([kind, input.baseUrl, input.fullPath]);
  }
}

/** The folder of the scan that the job belongs to. */
function scanFolderOf({ kind, input }: Job): string | null {
  switch (kind) {
    case 'scan':
      return input.workDirectory;
    case 'clone':
      return dirname(input.directory);
    case 'probe':
      return input.ownFolder;
    case 'readHead':
    case 'listBranches':
      return null;
  }
}

/** A process that runs jobs: it starts with the first job and ends after being idle for a while. */
function createProcess(input: RunnerInput) {
  const { options, environment, routeFor, onStderr, idleMs = IDLE_MS, isolation = NO_ISOLATION } = input;
  let child: ChildProcess | null = null;
  let idle: NodeJS.Timeout | undefined;
  let jobs = 0;
  const waiting = new Map<number, (answer: Answer) => void>();

  function start(): ChildProcess {
    const started = startProgram({
      environment,
      isolation,
      onMessage: (message) => {
        if (message.type === 'done') waiting.get(message.id)?.(message.answer);
        else void answerRoute(started, message, routeFor);
      },
      onEnd: () => failJobs(started),
      onStderr,
    });
    send(started, { type: 'options', options: { ...options, view: isolation.view } });
    child = started;
    return started;
  }

  function failJobs(ended: ChildProcess): void {
    if (child !== ended) return;
    child = null;
    for (const resolve of waiting.values()) resolve(ENDED);
  }

  async function runJob(job: Job, signal: AbortSignal): Promise<Answer> {
    if (signal.aborted) throw canceled();
    clearTimeout(idle);
    const folder = scanFolderOf(job);
    if (folder !== null) giveScanFolder(isolation, folder);
    const runner = child ?? start();
    jobs += 1;
    const id = jobs;
    const cancel = () => send(runner, { type: 'cancel', id });
    const answered = new Promise<Answer>((resolve) => waiting.set(id, resolve));
    signal.addEventListener('abort', cancel, { once: true });
    try {
      send(runner, { type: 'job', id, job });
      return await answered;
    } finally {
      waiting.delete(id);
      signal.removeEventListener('abort', cancel);
      if (waiting.size === 0) idle = setTimeout(() => void close(), idleMs).unref();
    }
  }

  async function close(): Promise<void> {
    clearTimeout(idle);
    const ending = child;
    if (ending === null) return;
    failJobs(ending);
    await disconnect(ending);
  }

  return { runJob, close };
}

/** Ends the process: without its parent it exits. */
async function disconnect(child: ChildProcess): Promise<void> {
  const ended = new Promise((resolve) => child.once('exit', resolve));
  child.disconnect();
  await ended;
}

async function answerRoute(
  child: ChildProcess,
  { id, url }: { id: number; url: string },
  routeFor: RunnerInput['routeFor'],
): Promise<void> {
  send(child, { type: 'route', id, answer: await answerOf(routeFor(url)) });
}

function startProgram(input: {
  environment: RunnerInput['environment'];
  isolation: RunnerIsolation;
  onMessage: (message: FromRunner) => void;
  onEnd: () => void;
  onStderr: (text: string) => void;
}): ChildProcess {
  const inherited = Object.fromEntries(INHERITED.map((name) => [name, input.environment[name]]));
  const compileCache = compileCacheOf(input.isolation);
  const child = spawnIsolated(input.isolation, [process.execPath, ...NODE_OPTIONS, PROGRAM], {
    env: { ...inherited, ...(compileCache === null ? {} : { NODE_COMPILE_CACHE: compileCache }) },
    stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
  });
  let stderr = '';
  // a disconnected child emits no `close`
  child.stderr
    ?.setEncoding('utf8')
    .on('data', (text: string) => {
      stderr = (stderr + text).slice(-MAX_STDERR_CHARACTERS);
    })
    .once('end', () => {
      if (stderr !== '') input.onStderr(stderr);
    });
  child.on('message', input.onMessage);
  child.once('exit', input.onEnd);
  child.once('error', input.onEnd);
  return child;
}

const ENDED: Answer = {
  failure: {
    code: 'scanner_crashed',
    message: 'the process that runs git and the scanners ended',
    details: { problem: 'runner_ended' },
  },
};

/** Does nothing for an ended process, because its end fails the jobs. */
function send(child: ChildProcess, message: ToRunner): void {
  if (child.connected) child.send(message, () => {});
}

function messageOf({ baseUrl, fullPath, defaultBranch, token }: RemoteRepository) {
  return { baseUrl, fullPath, defaultBranch, token: token.reveal() };
}
