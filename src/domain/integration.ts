import type { InvalidCause, ReachabilityCause } from './causes.ts';
import type { Expiry } from './token-expiry.ts';

export const VERDICTS = ['pending', 'active', 'invalid'] as const;
export type Verdict = (typeof VERDICTS)[number];

export const INTEGRATION_STATUSES = ['pending', 'active', 'invalid', 'paused'] as const;
export type IntegrationStatus = (typeof INTEGRATION_STATUSES)[number];

export const REACHABILITY_STATES = ['reachable', 'unreachable', 'unknown'] as const;
export type ReachabilityState = (typeof REACHABILITY_STATES)[number];

export const OWNER_KINDS = [
  'user',
  'service_account',
  'group_token',
  'project_token',
  'bot',
  'unknown',
] as const;
export type OwnerKind = (typeof OWNER_KINDS)[number];

export const TOKEN_WARNINGS = [
  'token_overprivileged',
  'token_of_a_person',
  'no_repositories',
  'owner_changed',
  'reach_reduced',
  'reach_grown',
  'nothing_clonable',
] as const;
export type TokenWarning = (typeof TOKEN_WARNINGS)[number];

/** What GitLab reports about a token. Times are ISO 8601. */
export interface TokenFacts {
  gitlabTokenId: number | null;
  name: string | null;
  scopes: string[];
  granular: boolean;
  /** Whether its scopes or permissions allow self-rotation; `null` if GitLab does not report it. */
  mayRotate: boolean | null;
  /** Unknown for a fine-grained token that may not read itself. */
  expiry: Expiry;
  createdAt: string | null;
  lastUsedAt: string | null;
  owner: TokenOwner;
}

export interface TokenOwner {
  username: string | null;
  kind: OwnerKind;
}

/** `paused` masks the verdict; the row stores both. */
export function statusOf(row: { verdict: Verdict; paused: boolean }): IntegrationStatus {
  return row.paused ? 'paused' : row.verdict;
}

/** Whether clones of this integration may start now. Checked before each page of scans. */
export function mayClone(row: {
  verdict: Verdict;
  paused: boolean;
  removedAt: Date | null;
  reachability: ReachabilityState;
  suspectedAt: Date | null;
}): boolean {
  return (
    row.removedAt === null &&
    !row.paused &&
    row.verdict === 'active' &&
    row.reachability !== 'unreachable' &&
    row.suspectedAt === null
  );
}

export interface Filters {
  include: string[];
  exclude: string[];
  archived: boolean;
  forks: boolean;
  personal: boolean;
}

export const DEFAULT_FILTERS: Filters = {
  include: [],
  exclude: [],
  archived: false,
  forks: true,
  personal: true,
};

export const HISTORY_MODES = ['full', 'since', 'off'] as const;
/** `full`: the whole history once, then what is new. `since`: what is new since the first scan. `off`: the head. */
export type HistoryMode = (typeof HISTORY_MODES)[number];

export const BRANCH_MODES = ['default', 'protected', 'all', 'globs'] as const;
export type BranchMode = (typeof BRANCH_MODES)[number];

/** The branches that are scanned for secrets, in addition to the default branch. `globs` is used only in that mode. */
export interface Branches {
  mode: BranchMode;
  globs: string[];
}

export const DEFAULT_BRANCHES: Branches = { mode: 'default', globs: [] };

/** A name derived from the host; `taken` are the names in use, compared case-insensitively. */
export function integrationNameFrom({
  baseUrl,
  taken,
}: {
  baseUrl: string;
  taken: ReadonlySet<string>;
}): string {
  const { host, pathname } = new URL(baseUrl);
  const stem = `${host}${pathname === '/' ? '' : pathname}`.slice(0, 90);
  for (let number = 1; ; number += 1) {
    const name = number === 1 ? stem : `${stem} ${number}`;
    if (!taken.has(name.toLowerCase())) return name;
  }
}

export type VerificationOutcome =
  | { verdict: 'active'; token: TokenFacts; warnings: TokenWarning[] }
  | { verdict: 'invalid'; cause: InvalidCause; token: TokenFacts | null }
  | { verdict: 'none'; cause: ReachabilityCause };
