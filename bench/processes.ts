import { readdirSync, readFileSync } from 'node:fs';

/** Clock ticks a second of `/proc/<pid>/stat`: 100 on every Linux that Node runs on. */
const TICKS = 100;

export interface ProcessUse {
  /** CPU of the process itself, in seconds. */
  own: number;
  /** CPU of the children that it has waited for: git, scanners. */
  children: number;
}

/** @see proc(5), fields 14 to 17 of `/proc/<pid>/stat` */
export function cpuOf(pid: number): ProcessUse {
  const stat = read(`/proc/${pid}/stat`);
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  const seconds = (index: number) => Number(fields[index - 3] ?? 0) / TICKS;
  return { own: seconds(14) + seconds(15), children: seconds(16) + seconds(17) };
}

/** Every process with those below it, as they are now. */
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

/** The process that starts git and scanners for a worker; `null` while there is none. */
export function runnerOf(worker: number): number | null {
  return (children().get(worker) ?? []).find((pid) => read(`/proc/${pid}/cmdline`).includes(RUNNER)) ?? null;
}

/**
 * Without those that run what their parent runs: one that has not become another program yet, or a shell's watcher. It
 * shares the memory of its parent, and has next to none of its own.
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
 * Resident set of a process in MiB, current and peak; shared pages count for each process. The proportional set size counts
 * them once, but reading it walks all pages, which took a tenth of the machine.
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
   * The peak of each in MiB: the processes of the stack, the runners that start git and scanners for them, and the largest
   * git or scanner that was sampled.
   */
  each: Record<string, number>;
  /** Their peak together. */
  all: number;
}

function nameBelow(root: string, { program }: Process): string {
  return program.includes(RUNNER) ? `runner of ${root}` : 'one git or scanner';
}

/** Watches these processes, by name, and all below them. */
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
