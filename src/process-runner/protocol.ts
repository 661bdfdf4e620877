import type { SecuErrorCode } from '../domain/errors.ts';
import type { CloneInput } from '../domain/ports.ts';
import type { GitRemoteOptions } from '../git/remote.ts';
import type { ScannersOptions } from '../scanners/scanners.ts';

/** What the runner is begun with. Plain data: it crosses a channel between processes as JSON. */
export interface RunnerOptions {
  git: Omit<GitRemoteOptions, 'pinFor' | 'proxyFor'>;
  scanners: ScannersOptions;
}

/** How git gets to an address; the outbound policy stays with the worker, and is asked. */
export interface Route {
  pin: string | null;
  proxy: string | null;
}

interface Repository {
  baseUrl: string;
  fullPath: string;
  defaultBranch?: string | null | undefined;
  token: string;
}

export interface Jobs {
  readHead: Repository;
  clone: Repository & CloneInput;
  scan: {
    gitDirectory: string;
    workDirectory: string;
    commit: string;
    history: 'none' | 'full';
    concurrentScans?: number;
  };
}

export type Job = { [Kind in keyof Jobs]: { kind: Kind; input: Jobs[Kind] } }[keyof Jobs];

/** An error as it crosses; `code` null for one that is no SecuError, whose message then tells where it came from. */
export interface Failure {
  code: SecuErrorCode | null;
  message: string;
  details: Readonly<Record<string, unknown>>;
}

export type Answer = { value: unknown } | { failure: Failure };

/** `id` names the job, and in the answer to `ask` the question. */
export type ToRunner =
  | { type: 'begin'; options: RunnerOptions }
  | { type: 'job'; id: number; job: Job }
  | { type: 'cancel'; id: number }
  | { type: 'route'; id: number; answer: Answer };

export type FromRunner =
  | { type: 'done'; id: number; answer: Answer }
  | { type: 'ask'; id: number; url: string };
