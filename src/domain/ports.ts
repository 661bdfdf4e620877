import type { DryRunObservations } from './dry-run.ts';
import type { ScannedFinding } from './finding.ts';
import type { ScannerRun } from './scan.ts';
import type { SealedSecret } from './sealed-secret.ts';
import type { Secret } from './secret.ts';
import type { UserRole } from './user.ts';

/** Starts and wakes workflows; what the API and the activities see of Temporal. All throw `temporal_unavailable`. */
export interface Starters {
  /** Makes the integration's workflow look again, starting it where it is not running. */
  wakeIntegration(integrationId: string): Promise<void>;
  /** Makes the fleet of this integration take what is queued, starting it where it is not running. */
  wakeFleet(integrationId: string): Promise<void>;
  /** Asks the running scan of this repository to stop; nothing where none runs. */
  cancelScan(repositoryId: string): Promise<void>;
  /** Stops everything of an integration but its own workflow. */
  cancelAll(integrationId: string): Promise<void>;
  /** How the workflow of this kind and id stands. */
  getWorkflowState(kind: WorkflowKind, id: string): Promise<WorkflowState>;
  /** Ends it without asking its code; nothing where none runs. What its rows say is for whoever starts the next. */
  terminate(kind: WorkflowKind, id: string): Promise<void>;
  /** Ids that a workflow of this kind is open for, in no order. May lag a second behind. */
  openIds(kind: WorkflowKind): AsyncIterable<string>;
}

export type WorkflowKind = 'integration' | 'sync' | 'fleet' | 'scan';

/** `stuck`: open, and its code fails again and again, so that it will never do what its rows say. */
export type WorkflowState = 'closed' | 'open' | 'stuck';

/** Looks at a token that is not stored. Nobody is told, nothing is kept; within ten seconds. */
export interface TokenProbe {
  probe(input: { baseUrl: string; token: Secret }): Promise<DryRunObservations>;
}

export interface RemoteRepository {
  baseUrl: string;
  fullPath: string;
  token: Secret;
  signal: AbortSignal;
}

export interface CloneResult {
  /** The bare repository. */
  gitDirectory: string;
  /** Head of the default branch; `null` for a repository without a commit. */
  commit: string | null;
  bytes: number;
  ms: number;
}

/** Git over https, hardened. Both throw SecuError with the codes of `RemoteErrorCode`. */
export interface GitRemote {
  /** Head of the default branch by `ls-remote`; `null` for a repository without a commit. */
  readHead(repository: RemoteRepository): Promise<{ commit: string | null }>;
  /** A bare clone into `directory`, which must be empty: the head only, or with `history` all of it. */
  clone(input: RemoteRepository & { directory: string; history: 'none' | 'full' }): Promise<CloneResult>;
}

/**
 * What a git remote can answer. `token_rejected` is a 401 for this one repository: a bot without access gets it with
 * a good token too, so it says nothing of the token.
 */
export type RemoteErrorCode =
  | 'token_rejected'
  | 'token_scope_missing'
  | 'sso_session_required'
  | 'account_blocked'
  | 'repository_gone'
  | 'repository_forbidden'
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
}

/** All scanners of this installation. */
export interface Scanners {
  /** One hash over the versions and rules in force: when it changes, everything is scanned again. */
  readonly rules: string;
  /**
   * Runs all of them over one bare repository, which a snapshot is added to. A scanner that fails is a run with status
   * `failed`, not an error.
   * @throws SecuError `canceled` when the signal fires
   */
  scan(input: {
    gitDirectory: string;
    /** An empty folder of its own for reports, beside the repository; its owner removes it. */
    workDirectory: string;
    commit: string;
    history: 'none' | 'full';
    /** Other scans under way beside it: a small one waits up to a second for those, to be read together. None, left out. */
    concurrentScans?: number;
    /** HMAC with the installation's fingerprint key, hex. */
    hash: (text: string) => string;
    signal: AbortSignal;
  }): Promise<ScanReport>;
}

/** GitLab's answer to a rotation, as it may lie on a disk: the new token sealed, and ids and dates. */
export interface RotationEntry {
  attemptId: string;
  sealed: SealedSecret;
  newTokenId: number;
  /** `YYYY-MM-DD`; `null` = never, `undefined` = GitLab did not tell. */
  expiresAt: string | null | undefined;
  createdAt: string | null;
}

/**
 * Where a worker keeps an answer that GitLab gives once, between its arrival and its commit. Its folder outlives the
 * process; another worker on the same volume takes it over once its owner is gone.
 */
export interface RotationJournal {
  /** Names the worker, its folder and its queue. */
  readonly workerId: string;
  /** Writes something and takes it away again, as an entry would be. @throws what the file system says */
  tryOut(): Promise<void>;
  /** Durable when it resolves: file and folder are synced. */
  write(entry: RotationEntry): Promise<void>;
  /** `null`: there is none, or half of one, whose writer died before it was durable. */
  read(attemptId: string): Promise<RotationEntry | null>;
  attemptIds(): Promise<string[]>;
  remove(attemptId: string): Promise<void>;
  /**
   * Gives a sign of life, and takes over the entries of workers that are gone. `taken` is told of each such worker
   * before its folder is forgotten; where it fails, that one is found again next time.
   */
  beat(taken: (workerId: string) => Promise<void>): Promise<void>;
}

/** What has to be remembered between the two halves of a single sign-on, in the browser that began it. */
export interface SignOnMemory {
  state: string;
  nonce: string;
  verifier: string;
}

/** A person as the provider of single sign-on says. `role` is `null` when nothing of theirs maps to one. */
export interface SignedOn {
  issuer: string;
  subject: string;
  /** What they are called there; foreign text. */
  name: string;
  role: UserRole | null;
}

/** Single sign-on. `begin` and `finish` throw `sign_on_unavailable` while the provider does not answer as one. */
export interface SignOn {
  /** Where to send the person's browser. */
  begin(): Promise<{ url: string; memory: SignOnMemory }>;
  /**
   * What the provider says when the browser comes back; `query` is that of the callback.
   * @throws SecuError `unauthenticated` for an answer that is not the provider's own to this very beginning
   */
  finish(input: { query: URLSearchParams; memory: SignOnMemory }): Promise<SignedOn>;
  /** Lets go of the connections to the provider. */
  close(): Promise<void>;
}
