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

/** A process and everything below it. */
export function treeOf(root: number): number[] {
  const parents = new Map<number, number[]>();
  for (const name of readdirSync('/proc')) {
    if (!/^\d+$/.test(name)) continue;
    const stat = read(`/proc/${name}/stat`);
    const parent = Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1] ?? 0);
    parents.set(parent, [...(parents.get(parent) ?? []), Number(name)]);
  }
  const tree = [root];
  for (const pid of tree) tree.push(...(parents.get(pid) ?? []));
  return tree;
}

/** Memory of these processes in MiB, pages that they share counted once: the proportional set size. */
export function memoryMib(pids: readonly number[]): number {
  const kib = pids.map((pid) => Number(/^Pss:\s+(\d+)/m.exec(read(`/proc/${pid}/smaps_rollup`))?.[1] ?? 0));
  return kib.reduce((sum, each) => sum + each, 0) / 1_024;
}

function read(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return ''; // ended meanwhile
  }
}

/** The most that each of these took, and all of them together, sampled four times a second. */
export function watchMemory(roots: () => Record<string, number>): {
  most(): Record<string, number>;
  stop(): void;
} {
  const most: Record<string, number> = {};
  const look = () => {
    let sum = 0;
    for (const [name, pid] of Object.entries(roots())) {
      const mib = memoryMib(treeOf(pid));
      sum += mib;
      most[name] = Math.max(most[name] ?? 0, mib);
    }
    most['all'] = Math.max(most['all'] ?? 0, sum);
  };
  const timer = setInterval(look, 250);
  return { most: () => ({ ...most }), stop: () => clearInterval(timer) };
}
