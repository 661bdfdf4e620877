import type { SecuErrorCode } from '../domain/errors.ts';
import type { Protected } from '../domain/isolation.ts';
import type { CloneInput } from '../domain/ports.ts';
import type { ScanHistory } from '../domain/scan.ts';
import type { GitRemoteOptions } from '../git/remote.ts';
import type { ScannersOptions } from '../scanners/scanners.ts';
import type { ViewFolders } from '../subprocess/view.ts';

/** The options of the runner: plain data, because it is sent as JSON. */
export interface RunnerOptions {
  git: Omit<GitRemoteOptions, 'pinFor' | 'proxyFor' | 'sandbox'>;
  scanners: ScannersOptions;
  /** Set if the runner has its own file system. */
  view: ViewFolders | null;
  /** Whether jobs fail where programs cannot be isolated. */
  requireIsolation: boolean;
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
  listBranches: Repository;
  clone: Repository & CloneInput;
  scan: {
    gitDirectory: string;
    workDirectory: string;
    commit: string;
    history: ScanHistory;
    tips?: readonly string[];
    known?: readonly string[];
    concurrentScans?: number;
  };
  probe: ProbeInput;
}

/** What a program that is started like a scanner tries to reach. */
export interface ProbeInput {
  /** The folder of its scan. */
  ownFolder: string;
  /** The folder of another scan. */
  otherFolder: string;
  /** Files and folders with keys. */
  keyPaths: readonly string[];
  /** The process that holds keys. */
  pid: number;
}

export type ProbeResult = Protected[];

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
  | { type: 'options'; options: RunnerOptions }
  | { type: 'job'; id: number; job: Job }
  | { type: 'cancel'; id: number }
  | { type: 'route'; id: number; answer: Answer };

export type FromRunner =
  | { type: 'done'; id: number; answer: Answer }
  | { type: 'route_request'; id: number; url: string };
