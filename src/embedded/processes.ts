import type { ChildProcess } from 'node:child_process';
import { spawn, spawnSync } from 'node:child_process';
import {
  closeSync,
  existsSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { basename, join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { hasCode, readProcessStart } from '../../tools/lock.js';
import { SecuError } from '../domain/errors.ts';
import { SYSTEM_PATH } from '../subprocess/system-path.ts';
import type { HomeLayout } from './home.ts';
import type { PrintLine } from './print-line.ts';
import { processesMarkedWith, readCommandLine, sessionOf } from './proc.ts';

const LOG_ROTATE_BYTES = 10 * 1024 * 1024;
const LOG_GENERATIONS = 3;

/** A stack trace of hundreds of lines follows. */
const GO_CRASH = /^(panic|fatal error): /;

const SETPRIV = '/usr/bin/setpriv';

/** Marks every process of a home, so that a later start can end the leftovers of a killed one. */
const PART_OF = 'SECU_PART_OF';

/** A user of the machine, by number. */
export interface SystemUser {
  readonly uid: number;
  readonly gid: number;
}

export interface ProcessSpec {
  /** The name of its record and its log file. */
  readonly name: string;
  readonly command: string;
  readonly args: readonly string[];
  /** The whole environment: nothing is inherited. */
  readonly env: Readonly<Record<string, string>>;
  readonly cwd?: string;
  /** The user to run as; only possible when started as root. */
  readonly user?: SystemUser;
  /** One of our Node programs: it gets an IPC channel and uses `endWithParent`. */
  readonly ipc?: boolean;
  readonly stopSignal: 'SIGTERM' | 'SIGINT';
  /** Time to stop before it is killed. */
  readonly stopGraceMs: number;
}

export interface RunningProcess {
  readonly pid: number;
  readonly child: ChildProcess;
  /** Resolves when the process has ended, with the reason: `exit 1`, `SIGKILL`. */
  readonly ended: Promise<string>;
  readonly logFile: string;
}

interface ProcessRecord {
  readonly name: string;
  readonly pid: number;
  readonly start: string;
  readonly commandLine: readonly string[];
  readonly stopSignal: 'SIGTERM' | 'SIGINT';
  readonly stopGraceMs: number;
}

/**
 * Starts a child in its own process group, with its output in a log file, and records it, so that the next start
 * can end it if this process is killed. If `setpriv` is installed, the kernel sends the stop signal to third-party
 * programs when this process ends.
 * @throws SecuError `embedded_failed` when it cannot be started
 */
export function startProcess(spec: ProcessSpec, layout: HomeLayout): RunningProcess {
  const logFile = join(layout.logs, `${spec.name}.log`);
  rotateLog(logFile);
  const log = openSync(logFile, 'a', 0o600);
  try {
    const { command, args, user } = wrapped(spec);
    const child = spawn(command, args, {
      env: { ...spec.env, [PART_OF]: layout.root },
      ...(spec.cwd === undefined ? {} : { cwd: spec.cwd }),
      ...(user === undefined ? {} : user),
      detached: true,
      stdio: spec.ipc === true ? ['ignore', log, log, 'ipc'] : ['ignore', log, log],
    });
    const ended = new Promise<string>((resolve) => {
      child.once('error', (err) => resolve(err.message));
      child.once('exit', (code, signal) => resolve(code === null ? String(signal) : `exit ${code}`));
    });
    if (child.pid === undefined) {
      throw new SecuError('embedded_failed', `${spec.name} cannot be started: ${spec.command} does not run`);
    }
    writeRecord(spec, child.pid, layout);
    return { pid: child.pid, child, ended, logFile };
  } finally {
    closeSync(log);
  }
}

/**
 * Stops a child: sends its stop signal, then, after the grace period, SIGKILL to the whole group. Removes its
 * record.
 */
export async function stopProcess(
  spec: ProcessSpec,
  running: RunningProcess,
  layout: HomeLayout,
): Promise<void> {
  signal(running.pid, spec.stopSignal);
  const timer = setTimeout(() => signal(-running.pid, 'SIGKILL'), spec.stopGraceMs);
  await running.ended;
  clearTimeout(timer);
  forgetProcess(spec, running, layout);
}

/** After a child has ended: ends the rest of its group and removes its record. */
export function forgetProcess(spec: ProcessSpec, running: RunningProcess, layout: HomeLayout): void {
  signal(-running.pid, 'SIGKILL');
  rmSync(recordFile(spec.name, layout), { force: true });
}

/**
 * Ends the processes that an earlier start left running; never adopts them. Call it while holding the home, before
 * anything is started. A recorded process counts only if its pid, start time and command line match; any other
 * process counts only if its environment carries this home's mark.
 */
export async function endLeftovers(layout: HomeLayout, printLine: PrintLine): Promise<void> {
  const records = readRecords(layout);
  await Promise.all(
    records.map(async (record) => {
      if (isAlive(record)) {
        printLine(`ending ${record.name} (process ${record.pid}), which an earlier start left behind`);
        const group = sessionOf(record.pid);
        await endProcess(record, record.stopSignal, record.stopGraceMs);
        await Promise.all(group.map((member) => endProcess(member, 'SIGKILL', 0)));
      }
      rmSync(recordFile(record.name, layout), { force: true });
    }),
  );
  const marked = processesMarkedWith(`${PART_OF}=${layout.root}`);
  await Promise.all(marked.map((each) => endProcess(each, 'SIGTERM', 2_000)));
}

/** The last lines of a log, for an error message. If a Go program crashed, they begin with the reason of its crash. */
export function lastLines(logFile: string, count = 5): string {
  const lines = existsSync(logFile) ? readFileSync(logFile, 'utf8').trimEnd().split('\n') : [];
  const crash = lines.findLast((line) => GO_CRASH.test(line));
  const end = lines.slice(-count);
  return (crash === undefined || end.includes(crash) ? end : [crash, ...end]).join('\n');
}

/** Sends a signal to a process, or to a group if the number is negative. Does nothing if it has ended. */
export function signal(pid: number, name: NodeJS.Signals): void {
  try {
    process.kill(pid, name);
  } catch (err) {
    if (!hasCode(err, 'ESRCH')) throw err;
  }
}

async function endProcess(
  target: { pid: number; start: string },
  stopSignal: NodeJS.Signals,
  graceMs: number,
): Promise<void> {
  const gone = () => readProcessStart(target.pid) !== target.start;
  if (gone()) return;
  signal(target.pid, stopSignal);
  const deadline = Date.now() + graceMs;
  while (!gone() && Date.now() < deadline) await delay(25);
  while (!gone()) {
    signal(target.pid, 'SIGKILL');
    await delay(25);
  }
}

/** The command as spawned: with the prefix `setpriv` where the kernel can then end orphans. */
function wrapped(spec: ProcessSpec): { command: string; args: string[]; user?: SystemUser } {
  const { command, args, user, ipc, stopSignal } = spec;
  if (ipc === true || !setprivTakesDeathSignal()) {
    return { command, args: [...args], ...(user === undefined ? {} : { user }) };
  }
  const identity = user === undefined ? [] : [`--reuid=${user.uid}`, `--regid=${user.gid}`, '--clear-groups'];
  return { command: SETPRIV, args: [`--pdeathsig=${stopSignal}`, ...identity, '--', command, ...args] };
}

/** util-linux has `--pdeathsig` since 2.33. */
function setprivTakesDeathSignal(): boolean {
  const env = { PATH: SYSTEM_PATH };
  return spawnSync(SETPRIV, ['--pdeathsig=TERM', 'true'], { env, stdio: 'ignore' }).status === 0;
}

function writeRecord(spec: ProcessSpec, pid: number, layout: HomeLayout): void {
  const start = readProcessStart(pid);
  if (start === null) return; // it has ended already
  const record: ProcessRecord = {
    name: spec.name,
    pid,
    start,
    commandLine: [spec.command, ...spec.args],
    stopSignal: spec.stopSignal,
    stopGraceMs: spec.stopGraceMs,
  };
  const file = recordFile(spec.name, layout);
  writeFileSync(`${file}.new`, JSON.stringify(record), { mode: 0o600 });
  renameSync(`${file}.new`, file);
}

function readRecords(layout: HomeLayout): ProcessRecord[] {
  return readdirSync(layout.run)
    .filter((file) => file.endsWith('.json'))
    .map((file) => JSON.parse(readFileSync(join(layout.run, file), 'utf8')) as ProcessRecord);
}

function isAlive({ pid, start, commandLine }: ProcessRecord): boolean {
  if (readProcessStart(pid) !== start) return false;
  const actual = readCommandLine(pid).join('\0');
  const expected = commandLine.join('\0');
  // Between fork and exec, it still shows `setpriv … -- command`.
  return actual === expected || actual.endsWith(`\0--\0${expected}`);
}

function recordFile(name: string, layout: HomeLayout): string {
  return join(layout.run, `${basename(name)}.json`);
}

function rotateLog(file: string): void {
  if (!existsSync(file) || statSync(file).size < LOG_ROTATE_BYTES) return;
  for (let generation = LOG_GENERATIONS - 1; generation >= 1; generation -= 1) {
    if (existsSync(`${file}.${generation}`)) renameSync(`${file}.${generation}`, `${file}.${generation + 1}`);
  }
  renameSync(file, `${file}.1`);
}
