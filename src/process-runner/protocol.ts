import type { SecuErrorCode } from '../domain/errors.ts';
import type { CloneInput } from '../domain/ports.ts';
import type { GitRemoteOptions } from '../git/remote.ts';
import type { ScannersOptions } from '../scanners/scanners.ts';

/** The options of the runner: plain data, because it is sent as JSON. */
export interface RunnerOptions {
  git: Omit<GitRemoteOptions, 'pinFor' | 'proxyFor'>;
  scanners: ScannersOptions;
}

/** How git reaches an address. The worker holds the outbound policy and answers requests for routes. */
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

/**
 * An error in transit. `code` is null for an error that is not a SecuError; its message is then the stack.
 */
export interface Failure {
  code: SecuErrorCode | null;
  message: string;
  details: Readonly<Record<string, unknown>>;
}

export type Answer = { value: unknown } | { failure: Failure };

/** `id` identifies the job or the route request. */
export type ToRunner =
  | { type: 'begin'; options: RunnerOptions }
  | { type: 'job'; id: number; job: Job }
  | { type: 'cancel'; id: number }
  | { type: 'route'; id: number; answer: Answer };

export type FromRunner =
  | { type: 'done'; id: number; answer: Answer }
  | { type: 'ask'; id: number; url: string };
