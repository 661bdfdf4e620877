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

/** The child of a process that has this in its command line. */
export function childOf(parent: number, words: string): number | null {
  return (children().get(parent) ?? []).find((pid) => read(`/proc/${pid}/cmdline`).includes(words)) ?? null;
}

/** A child that has not become another program yet shares the memory of its parent, and has none of its own. */
function treeOf(root: number, below: ReadonlyMap<number, readonly number[]>): number[] {
  const tree = [root];
  for (const pid of tree) {
    const program = read(`/proc/${pid}/cmdline`);
    tree.push(...(below.get(pid) ?? []).filter((child) => read(`/proc/${child}/cmdline`) !== program));
  }
  return tree;
}

/**
 * Resident sets of these processes in MiB; pages that several share count for each. The proportional set size, which
 * counts them once, costs a walk over all pages: looking took a tenth of the machine. @see proc(5)
 */
function memoryMib(pids: readonly number[]): number {
  const kib = pids.map((pid) => Number(/^VmRSS:\s+(\d+)/m.exec(read(`/proc/${pid}/status`))?.[1] ?? 0));
  return kib.reduce((sum, each) => sum + each, 0) / 1_024;
}

function read(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return ''; // ended meanwhile
  }
}

const LOOK_EVERY_MS = 500;

/** The most that each of these took, with all below it, and all of them together. */
export function watchMemory(roots: () => Record<string, number>): {
  most(): Record<string, number>;
  stop(): void;
} {
  const most: Record<string, number> = {};
  const look = () => {
    let sum = 0;
    const below = children();
    for (const [name, pid] of Object.entries(roots())) {
      const mib = memoryMib(treeOf(pid, below));
      sum += mib;
      most[name] = Math.max(most[name] ?? 0, mib);
    }
    most['all'] = Math.max(most['all'] ?? 0, sum);
  };
  const timer = setInterval(look, LOOK_EVERY_MS);
  return { most: () => ({ ...most }), stop: () => clearInterval(timer) };
}
