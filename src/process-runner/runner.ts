import type { ChildProcess } from 'node:child_process';
import { fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { canceled } from '../domain/errors.ts';
import type { CloneResult, GitRemote, RemoteRepository, Scanners, ScanReport } from '../domain/ports.ts';
import { fingerprintAs } from '../scanners/fingerprint.ts';
import { answerOf, resultOf } from './failure.ts';
import type { Answer, FromRunner, Job, Route, RunnerOptions, ToRunner } from './protocol.ts';

const PROGRAM = fileURLToPath(new URL('program.ts', import.meta.url));
/**
 * Little memory is what makes it quick; see `program.ts`. V8 would let what scans leave behind grow to three times of what
 * is alive before it collects it: 12 MiB are alive, and it looks at 24, which costs some ms every seventy scans.
 */
const NODE_OPTIONS = [
  '--disable-warning=ExperimentalWarning',
  '--max-semi-space-size=2',
  '--initial-old-space-size=16',
  '--heap-growing-percent=50',
];
/** It takes memory while it waits, and starts within a second. */
const IDLE_MS = 60_000;
const MAX_COMPLAINT = 4_096;
const INHERITED = ['PATH', 'NODE_COMPILE_CACHE', 'HOME', 'LANG', 'TZ', 'SECU_PART_OF'];

export interface Runner {
  git: GitRemote;
  scan: Scanners['scan'];
  /** Ends it and what it runs; what waits for it fails. */
  close(): Promise<void>;
}

interface RunnerInput {
  options: RunnerOptions;
  /** Of this process; the runner inherits a few names of it. */
  environment: Readonly<Record<string, string | undefined>>;
  /** @throws SecuError as `OutboundPolicy.pinFor` */
  routeFor: (url: string) => Promise<Route>;
  /** Is told the last that a runner wrote to standard error, once it ended: nothing of ours writes there. */
  onComplaint: (text: string) => void;
  idleMs?: number;
}

/**
 * Git and the scanners in a process of their own, which is started when it is needed and ends when it was not for a
 * while. Errors are those of `GitRemote` and `Scanners`; of a job whose runner ended, `scanner_crashed`.
 */
export function createRunner(input: RunnerInput): Runner {
  const { run, close } = createJobs(input);
  return {
    git: {
      readHead: (repository) =>
        run({ kind: 'readHead', input: plain(repository) }, repository.signal) as ReturnType<
          GitRemote['readHead']
        >,
      clone: ({ directory, history, ...repository }) =>
        run(
          { kind: 'clone', input: { ...plain(repository), directory, history } },
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
    close,
  };
}

/** Jobs by number, and the process that does them. */
function createJobs({ options, environment, routeFor, onComplaint, idleMs = IDLE_MS }: RunnerInput) {
  let child: ChildProcess | null = null;
  let idle: NodeJS.Timeout | undefined;
  let jobs = 0;
  const waiting = new Map<number, (answer: Answer) => void>();

  function start(): ChildProcess {
    const started = startProgram({
      environment,
      onMessage: (message) => {
        if (message.type === 'done') waiting.get(message.id)?.(message.answer);
        else void tellRoute(started, message);
      },
      onEnd: () => forget(started),
      onComplaint,
    });
    send(started, { type: 'begin', options });
    child = started;
    return started;
  }

  async function tellRoute(to: ChildProcess, { id, url }: { id: number; url: string }): Promise<void> {
    send(to, { type: 'route', id, answer: await answerOf(routeFor(url)) });
  }

  function forget(ended: ChildProcess): void {
    if (child !== ended) return;
    child = null;
    for (const settle of waiting.values()) settle(ENDED);
  }

  async function run(job: Job, signal: AbortSignal): Promise<unknown> {
    if (signal.aborted) throw canceled();
    clearTimeout(idle);
    const runner = child ?? start();
    jobs += 1;
    const id = jobs;
    const cancel = () => send(runner, { type: 'cancel', id });
    const answered = new Promise<Answer>((resolve) => waiting.set(id, resolve));
    signal.addEventListener('abort', cancel, { once: true });
    try {
      send(runner, { type: 'job', id, job });
      return resultOf(await answered);
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
    forget(ending);
    const ended = new Promise((resolve) => ending.once('exit', resolve));
    ending.disconnect();
    await ended;
  }

  return { run, close };
}

function startProgram(on: {
  environment: RunnerInput['environment'];
  onMessage: (message: FromRunner) => void;
  onEnd: () => void;
  onComplaint: (text: string) => void;
}): ChildProcess {
  const child = fork(PROGRAM, {
    execArgv: NODE_OPTIONS,
    env: Object.fromEntries(INHERITED.map((name) => [name, on.environment[name]])),
    stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
  });
  let complaint = '';
  // the child's own `close` does not come once it was disconnected
  child.stderr
    ?.setEncoding('utf8')
    .on('data', (text: string) => {
      complaint = (complaint + text).slice(-MAX_COMPLAINT);
    })
    .once('end', () => {
      if (complaint !== '') on.onComplaint(complaint);
    });
  child.on('message', on.onMessage);
  child.once('exit', on.onEnd);
  child.once('error', on.onEnd);
  return child;
}

const ENDED: Answer = {
  failure: {
    code: 'scanner_crashed',
    message: 'the process that runs git and the scanners ended',
    details: { problem: 'runner_ended' },
  },
};

/** One that ended is told of by its end. */
function send(child: ChildProcess, message: ToRunner): void {
  if (child.connected) child.send(message, () => {});
}

function plain({ baseUrl, fullPath, defaultBranch, token }: RemoteRepository) {
  return { baseUrl, fullPath, defaultBranch, token: token.reveal() };
}
