import type { DryRunObservations } from './dry-run.ts';
import type { ScannedFinding } from './finding.ts';
import type { IncompleteReason, ScanHistory, ScannerName, ScannerRun } from './scan.ts';
import type { SealedSecret } from './sealed-secret.ts';
import type { Secret } from './secret.ts';
import type { Expiry } from './token-expiry.ts';
import type { UserRole } from './user.ts';

/**
 * Starts and wakes workflows: all that the API and the activities see of Temporal. Every method throws
 * `temporal_unavailable`.
 */
export interface Starters {
  /** Makes the integration workflow plan its next action now; starts it if it is not running. */
  wakeIntegration(integrationId: string): Promise<void>;
  /** Makes the fleet workflow take queued scans now; starts it if it is not running. */
  wakeFleet(integrationId: string): Promise<void>;
  /** Cancels the running scan of this repository, if there is one. */
  cancelScan(repositoryId: string): Promise<void>;
  /** Cancels every workflow of an integration except its own. */
  cancelAll(integrationId: string): Promise<void>;
  /** The state of the workflow of this kind and id. */
  getWorkflowState(kind: WorkflowKind, id: string): Promise<WorkflowState>;
  /** Terminates the workflow, if it runs. Its rows are left to the next run. */
  terminate(kind: WorkflowKind, id: string): Promise<void>;
  /** Ids that have an open workflow of this kind, in any order. The list may be a second old. */
  openIds(kind: WorkflowKind): AsyncIterable<string>;
}

export type WorkflowKind = 'integration' | 'sync' | 'fleet' | 'scan';

/** `stuck`: open, but its workflow task fails again and again. */
export type WorkflowState = 'closed' | 'open' | 'stuck';

/** Tests a token without storing anything or sending any message, within ten seconds. */
export interface TokenProbe {
  probe(input: { baseUrl: string; token: Secret }): Promise<DryRunObservations>;
}

export interface RemoteRepository {
  baseUrl: string;
  fullPath: string;
  /** As GitLab names it; read where HEAD does not resolve. */
  defaultBranch?: string | null | undefined;
  token: Secret;
  signal: AbortSignal;
}

export interface CloneResult {
  /** The bare repository. */
  gitDirectory: string;
  /** Head of the cloned branch; `null` for a repository without commits. */
  commit: string | null;
  /** The branch, where HEAD named none and the branch that GitLab names was cloned; `null` for HEAD. */
  branch: string | null;
  /** The other branches that were fetched. */
  tips: BranchTip[];
  /** What the clone holds: `full` for `since` too, if no known commit was found. */
  history: ScanHistory;
  /** Whether the clone holds every commit of its branches. */
  isWhole: boolean;
  /** With `since`: the known commits that the new commits follow, or that are still the newest. */
  continues: string[];
  bytes: number;
  ms: number;
}

/** A branch and its newest commit. */
export interface BranchTip {
  name: string;
  commit: string;
}

export interface RemoteBranches {
  /** Of the default branch; `null` for a repository without commits. */
  head: string | null;
  tips: BranchTip[];
  /** Whether there are branches with names that git cannot fetch safely. */
  hasUnusable: boolean;
}

export interface CloneInput {
  directory: string;
  /** `none`: one commit of each branch. `since`: all commits that the known ones do not reach. `full`: all. */
  history: ScanHistory;
  /** For `since`: commits whose history was read before. They need not exist any more. */
  known?: readonly string[];
  /** Branches to fetch in addition to the default branch; each must exist. */
  branches?: readonly string[];
}

/** Hardened Git over HTTPS. All methods throw a SecuError with a `RemoteErrorCode`. */
export interface GitRemote {
  /** Head of the default branch, by `ls-remote`; `null` for a repository without commits. */
  readHead(repository: RemoteRepository): Promise<{ commit: string | null }>;
  /** All branches and the commit of the default branch, by `ls-remote`. */
  listBranches(repository: RemoteRepository): Promise<RemoteBranches>;
  /**
   * A bare clone into `directory`, which must be empty.
   */
  clone(input: RemoteRepository & CloneInput): Promise<CloneResult>;
}

/**
 * Errors of a git remote. `token_rejected` is a 401 for this one repository: a bot that may not read it gets a 401
 * with a valid token too, so it is no verdict on the token.
 */
export type RemoteErrorCode =
  | 'token_rejected'
  | 'token_scope_missing'
  | 'sso_session_required'
  | 'account_blocked'
  | 'repository_gone'
  | 'repository_forbidden'
  | 'head_unresolved'
  | 'object_malformed'
  | 'clone_failed'
  | 'clone_too_large'
  | 'clone_timed_out'
  | 'gitlab_unreachable'
  | 'gitlab_tls_failed'
  | 'gitlab_redirected'
  | 'gitlab_rate_limited'
  | 'canceled';

export interface ScanReport {
  runs: ScannerRun[];
  findings: ScannedFinding[];
  /** Why the report does not prove that there are no other findings; empty if it does. */
  incompleteBecause: IncompleteReason[];
  /** Paths of the commit, and with history of its past, that a scanner did not read, by scanner. */
  unreadPaths: Partial<Record<ScannerName, string[]>>;
  /** Commits of the history that could not be read. */
  unreadCommits: string[];
}

/** All scanners of this installation. */
export interface Scanners {
  /** One hash over the versions and rules in force. When it changes, every repository is scanned again. */
  readonly rules: string;
  /** Rules in force, by scanner. Only a rule in force can show that its finding is gone. */
  readonly ruleIds: Readonly<Record<ScannerName, readonly string[]>>;
  /**
   * Runs every scanner over one bare repository, to which it adds a snapshot commit. A scanner that fails gives a
   * run with status `failed`, not an error.
   * @throws SecuError `canceled` when the signal fires
   */
  scan(input: {
    gitDirectory: string;
    /** An empty folder for reports, outside the repository; the caller removes it. */
    workDirectory: string;
    commit: string;
    /** Which commits are read besides the head: none, those that `known` does not reach, or all. */
    history: ScanHistory;
    /** The newest commits of other branches, whose secrets are searched for too. */
    tips?: readonly string[];
    /** For `since`: commits whose history was read before. */
    known?: readonly string[];
    /**
     * How many other scans run now. A small scan waits up to two seconds to share a gitleaks run with them.
     * Default 0.
     */
    concurrentScans?: number;
    /** HMAC with the fingerprint key of this installation, hex. */
    hash: (text: string) => string;
    signal: AbortSignal;
  }): Promise<ScanReport>;
}

/** GitLab's answer to a rotation, in a form that may be written to disk: the new token is sealed. */
export interface RotationEntry {
  attemptId: string;
  sealed: SealedSecret;
  newTokenId: number;
  expiry: Expiry;
  createdAt: string | null;
}

/**
 * Where a worker stores GitLab's answer to a rotation, which GitLab gives only once, until it is committed. The
 * folder outlives the process: when its owner is gone, another worker on the same volume takes over its entries.
 */
export interface RotationJournal {
  /** Identifies the worker, its folder and its task queue. */
  readonly workerId: string;
  /** Writes and removes a test entry. @throws the error of the file system */
  assertWritable(): Promise<void>;
  /** Resolves when the entry is durable: file and folder are synced. */
  write(entry: RotationEntry): Promise<void>;
  /** `null` when there is no entry, or only a partial one. */
  read(attemptId: string): Promise<RotationEntry | null>;
  attemptIds(): Promise<string[]>;
  remove(attemptId: string): Promise<void>;
  /**
   * Renews the lease of this worker and takes over entries of dead workers. Calls `onTakenOver` for each dead
   * worker before its folder is removed; if it throws, the folder stays for the next call.
   */
  renewLease(onTakenOver: (workerId: string) => Promise<void>): Promise<void>;
}

/** What the browser stores between the start of a single sign-on and its callback. */
export interface SignOnMemory {
  state: string;
  nonce: string;
  verifier: string;
}

/**
 * A person as the single sign-on provider describes them. `role` is `null` when none of their groups has one.
 */
export interface SignedOn {
  issuer: string;
  subject: string;
  /** Display name; foreign text. */
  name: string;
  role: UserRole | null;
}

/**
 * Single sign-on. `begin` and `finish` throw `sign_on_unavailable` when the provider does not answer properly.
 */
export interface SignOn {
  /** The URL to send the browser to. */
  begin(): Promise<{ url: string; memory: SignOnMemory }>;
  /**
   * Handles the browser's return; `query` is the query of the callback.
   * @throws SecuError `unauthenticated` when the answer does not belong to this sign-in
   */
  finish(input: { query: URLSearchParams; memory: SignOnMemory }): Promise<SignedOn>;
  /** Closes the connections to the provider. */
  close(): Promise<void>;
}
