import { readdirSync, readFileSync } from 'node:fs';
import { hasCode, readProcessStart } from '../../tools/lock.js';

/** Identifies a process, also after its pid was reused. */
export interface ProcessIdentity {
  readonly pid: number;
  readonly start: string;
}

/** The arguments of a process, program first; empty when it has ended. @see proc_pid_cmdline(5) */
export function readCommandLine(pid: number): string[] {
  const text = readProc(pid, 'cmdline');
  return text === '' ? [] : text.replace(/\0$/, '').split('\0');
}

/** The other processes in the session or group that `leader` leads. @see proc_pid_stat(5): fields 5 and 6 */
export function sessionOf(leader: number): ProcessIdentity[] {
  return allPids().flatMap((pid) => {
    const stat = readProc(pid, 'stat');
    const [, , group, session] = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    const belongs = pid !== leader && (Number(group) === leader || Number(session) === leader);
    return belongs ? identify(pid) : [];
  });
}

/** Processes that were started with this `NAME=value` in their environment, this one excepted. */
export function processesMarkedWith(mark: string): ProcessIdentity[] {
  return allPids().flatMap((pid) => {
    const marked = pid !== process.pid && readProc(pid, 'environ').split('\0').includes(mark);
    return marked ? identify(pid) : [];
  });
}

function identify(pid: number): ProcessIdentity[] {
  const start = readProcessStart(pid);
  return start === null ? [] : [{ pid, start }];
}

function allPids(): number[] {
  return readdirSync('/proc').map(Number).filter(Number.isInteger);
}

/** Empty when the process has ended or may not be read. */
function readProc(pid: number, file: 'cmdline' | 'environ' | 'stat'): string {
  try {
    return readFileSync(`/proc/${pid}/${file}`, 'utf8');
  } catch (err) {
    if (['ENOENT', 'ESRCH', 'EACCES', 'EPERM'].some((code) => hasCode(err, code))) return '';
    throw err;
  }
}
