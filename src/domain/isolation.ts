/**
 * How the process that starts git and scanners is separated from the rest of Secu. `namespaces`: it has its own file
 * system, which holds only what it needs. `uid`: it runs as another user. `network_only`: scanners have no network,
 * and nothing else is separated.
 */
export const ISOLATION_LEVELS = ['namespaces', 'uid', 'network_only', 'none'] as const;
export type IsolationLevel = (typeof ISOLATION_LEVELS)[number];

/** What a scanner must not reach: files with keys, the memory of Secu, folders of other scans, the network. */
export const PROTECTED = ['keys', 'processes', 'other_scans', 'network'] as const;
export type Protected = (typeof PROTECTED)[number];

/** The result of the probe: a program that was started as a scanner is started. */
export interface Isolation {
  level: IsolationLevel;
  /** What the program could reach; empty = isolated. */
  reachable: Protected[];
}

export function isIsolated({ reachable }: Isolation): boolean {
  return reachable.length === 0;
}
