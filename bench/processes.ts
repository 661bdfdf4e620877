import { readdirSync, readFileSync } from 'node:fs';

/** Clock ticks per second in `/proc/<pid>/stat`: 100 on every Linux that Node runs on. */
const TICKS = 100;

export interface ProcessUse {
  /** CPU of the process itself, in seconds. */
  own: number;
  /** CPU of its ended children (git, scanners), in seconds. */
  children: number;
}

/** @see proc(5), fields 14 to 17 of `/proc/<pid>/stat` */
export function cpuOf(pid: number): ProcessUse {
  const stat = read(`/proc/${pid}/stat`);
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  const seconds = (index: number) => Number(fields[index - 3] ?? 0) / TICKS;
  return { own: seconds(14) + seconds(15), children: seconds(16) + seconds(17) };
}

/** The current child PIDs of every process. */
function children(): Map<number, number[]> {
  const parents = new Map<number, number[]>();
  for (const name of readdirSync('/proc')) {
    if (!/^\d+$/.test(name)) continue;
    const stat = read(`/proc/${name}/stat`);
    const parent = Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1] ?? 0);
    parents.set(parent, [...(parents.get(parent) ?? []), Number(name)]);
  }
  return parents;
}

const RUNNER = 'runner/program.ts';

/** The process that starts git and scanners for a worker, below the programs that isolate it; `null` if there is none. */
export function runnerOf(worker: number): number | null {
  const below = children();
  for (let pid = worker; ; ) {
    const next = (below.get(pid) ?? []).find((child) => read(`/proc/${child}/cmdline`).includes(RUNNER));
    if (next === undefined) return null;
    if (/^[^\0]*node\0/.test(read(`/proc/${next}/cmdline`))) return next;
    pid = next;
  }
}

/**
 * Leaves out children with the command line of their parent: a fork before its exec, or a shell's subshell. Such a
 * child shares nearly all its memory with the parent.
 */
function startedBy(parent: Process, below: ReadonlyMap<number, readonly number[]>): Process[] {
  return (below.get(parent.pid) ?? [])
    .map((pid) => ({ pid, program: read(`/proc/${pid}/cmdline`) }))
    .filter(({ program }) => program !== parent.program);
}

interface Process {
  pid: number;
  /** Its command line. */
  program: string;
}

function treeOf(root: Process, below: ReadonlyMap<number, readonly number[]>): Process[] {
  const tree = [root];
  for (const each of tree) tree.push(...startedBy(each, below));
  return tree;
}

/**
 * Current and peak resident set of a process in MiB; shared pages count for each process. The proportional set
 * size would count them once, but reading it walks all pages, which took a tenth of the machine's CPU.
 * @see proc(5), `VmRSS` and `VmHWM` of `/proc/<pid>/status`
 */
function memoryOf(pid: number): { now: number; most: number } {
  const status = read(`/proc/${pid}/status`);
  const mib = (field: string) =>
    Number(new RegExp(`^${field}:\\s+(\\d+)`, 'm').exec(status)?.[1] ?? 0) / 1_024;
  return { now: mib('VmRSS'), most: mib('VmHWM') };
}

function read(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return ''; // ended meanwhile
  }
}

const LOOK_EVERY_MS = 500;

export interface Memory {
  /**
   * Peak memory in MiB: of each process of the stack, of the process runners, and of the largest git or scanner
   * that was sampled.
   */
  each: Record<string, number>;
  /** Peak of the sum. */
  all: number;
}

function nameBelow(root: string, { program }: Process): string {
  return program.includes(RUNNER) ? `runner of ${root}` : 'one git or scanner';
}

/** Samples these processes, by name, and all their descendants. */
export function watchMemory(roots: Record<string, number>): { stop(): Memory } {
  const most: Memory = { each: {}, all: 0 };
  const look = () => {
    const below = children();
    let all = 0;
    for (const [root, pid] of Object.entries(roots)) {
      for (const each of treeOf({ pid, program: read(`/proc/${pid}/cmdline`) }, below)) {
        const name = each.pid === pid ? root : nameBelow(root, each);
        const memory = memoryOf(each.pid);
        all += memory.now;
        most.each[name] = Math.max(most.each[name] ?? 0, memory.most);
      }
    }
    most.all = Math.max(most.all, all);
  };
  const timer = setInterval(look, LOOK_EVERY_MS);
  return {
    stop: () => {
      look();
      clearInterval(timer);
      return most;
    },
  };
}
