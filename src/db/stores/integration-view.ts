import type { Expiry } from '../../domain/token-expiry.ts';
import type { RotationState } from '../entities/integration.ts';
import type { Condition, ListInput } from '../list-query.ts';
import { anyOf, contains, listPage } from '../list-query.ts';
import type { Page } from '../rows.ts';
import { dateOf, dateOrNull } from '../rows.ts';
import type { Sql } from '../sql.ts';
import { storedExpiry } from './credentials.ts';
import type { IntegrationRow } from './integrations.ts';

/** An integration for display: its row, the facts of its current token, its latest sync and its counts. */
export interface IntegrationView
  extends Omit<
    IntegrationRow,
    'brakeHeld' | 'brakeListings' | 'syncPaceMs' | 'removedAt' | 'promptedChecks' | 'promptedSince'
  > {
  createdAt: Date;
  updatedAt: Date;
  token: TokenView | null;
  /** The latest attempt to rotate the token. */
  rotation: RotationView | null;
  sync: { state: string; cause: string | null; complete: boolean } | null;
  hooks: { lastAt: Date | null; hasMissedCommits: boolean };
  scans: { queued: number; running: number };
  counts: {
    repositories: number;
    excluded: number;
    missing: number;
    scanned: number;
    neverScanned: number;
    openFindings: number;
  };
}

export interface RotationView {
  state: RotationState;
  at: Date;
  tokenName: string | null;
  newTokenId: number | null;
  expiresOn: string;
}

export interface TokenView {
  gitlabTokenId: number | null;
  name: string | null;
  scopes: string[];
  granular: boolean;
  mayRotate: boolean | null;
  ownerUsername: string | null;
  ownerKind: string;
  createdAt: Date | null;
  lastUsedAt: Date | null;
  replacedAt: Date | null;
  expiry: Expiry;
  flag: number | null;
  flaggedAt: Date | null;
}

interface ViewRow {
  id: string;
  sort_value: string;
  integration: IntegrationJson;
  credential: CredentialJson | null;
  rotation: RotationJson | null;
  sync: { state: string; cause: string | null; complete: boolean } | null;
  hooks: { last_at: string | null; missed: boolean } | null;
  queued: number;
  running: number;
  repositories: number;
  excluded: number;
  missing: number;
  scanned: number;
  never_scanned: number;
  open_findings: number;
}

/** A row as `to_jsonb` returns it: column names of PostgreSQL, ISO times. */
interface IntegrationJson {
  name: string;
  base_url: string;
  verdict: IntegrationRow['verdict'];
  cause: IntegrationRow['cause'];
  paused: boolean;
  reachability: IntegrationRow['reachability'];
  reachability_cause: IntegrationRow['reachabilityCause'];
  reachability_since: string;
  suspected_at: string | null;
  filters: IntegrationRow['filters'];
  history: IntegrationRow['history'];
  branches: IntegrationRow['branches'];
  auto_rotate_enabled: boolean;
  auto_rotate_days_before: number;
  warnings: IntegrationRow['warnings'];
  last_verified_at: string | null;
  next_verify_at: string | null;
  verify_failures: number;
  last_sync_at: string | null;
  next_sync_at: string | null;
  last_full_sync_at: string | null;
  listed: number;
  created_at: string;
  updated_at: string;
}

interface RotationJson {
  state: RotationState;
  created_at: string;
  token_name: string | null;
  new_token_id: number | null;
  expires_on: string;
}

interface CredentialJson {
  gitlab_token_id: number | null;
  token_name: string | null;
  scopes: string[];
  granular: boolean;
  may_rotate: boolean | null;
  owner_username: string | null;
  owner_kind: string;
  token_created_at: string | null;
  token_last_used_at: string | null;
  current_at: string | null;
  expires_on: string | null;
  expiry_known: boolean;
  flag: number | null;
  flagged_at: string | null;
  facts_at: string | null;
}

/**
 * Since the last hook, polling found new commits in a repository that hooks used to announce. `h` is the row of
 * hook_receiver.
 */
export const MISSED_COMMITS = `exists (select 1 from scan s where s.integration_id = h.integration_id
  and s.trigger in ('sync', 'schedule') and s.queued_at > h.last_at
  and exists (select 1 from scan e where e.repository_id = s.repository_id and e.id < s.id and e.trigger = 'hook'))`;

const SELECT = `
select i.id, to_jsonb(i) as integration,
  (select to_jsonb(c) - 'sealed' - 'token_hash' from credential c where c.integration_id = i.id and c.state = 'current') as credential,
  (select to_jsonb(t) from rotation t where t.integration_id = i.id order by t.id desc limit 1) as rotation,
  (select jsonb_build_object('state', s.state, 'cause', s.cause, 'complete', s.complete)
     from sync_run s where s.integration_id = i.id order by s.id desc limit 1) as sync,
  (select jsonb_build_object('last_at', h.last_at, 'missed', ${MISSED_COMMITS})
     from hook_receiver h where h.integration_id = i.id) as hooks,
  coalesce(q.queued, 0)::int as queued, coalesce(q.running, 0)::int as running,
  coalesce(r.repositories, 0)::int as repositories, coalesce(r.excluded, 0)::int as excluded,
  coalesce(r.missing, 0)::int as missing, coalesce(r.scanned, 0)::int as scanned,
  coalesce(r.never_scanned, 0)::int as never_scanned, coalesce(r.open_findings, 0)::int as open_findings
  /*sort*/
from integration i
left join lateral (
  select count(*) filter (where status = 'queued') as queued, count(*) filter (where status = 'running') as running
  from scan where integration_id = i.id and status in ('queued', 'running')) q on true
left join lateral (
  select count(*) filter (where state in ('active', 'empty')) as repositories,
    count(*) filter (where state = 'excluded') as excluded,
    count(*) filter (where state = 'missing') as missing,
    count(*) filter (where state in ('active', 'empty') and scanned_at is not null) as scanned,
    count(*) filter (where state = 'active' and scanned_at is null) as never_scanned,
    sum(open_critical + open_high + open_medium + open_low) as open_findings
  from repository where integration_id = i.id) r on true`;

export function createIntegrationViewStore(sql: Sql) {
  return {
    async find(id: string): Promise<IntegrationView | null> {
      const row = await sql.first<ViewRow>(`${SELECT} where i.id = $1 and i.removed_at is null`, [id]);
      return row === null ? null : viewOf(row);
    },

    async list(
      filter: { status?: string[] | undefined; q?: string | undefined },
      list: ListInput,
    ): Promise<Page<IntegrationView>> {
      const conditions: Condition[] = [
        { text: 'i.removed_at is null', params: [] },
        ...anyOf(`case when i.paused then 'paused' else i.verdict end`, filter.status),
        ...contains('i.name', filter.q),
      ];
      return listPage<ViewRow, IntegrationView>({
        sql,
        select: SELECT,
        conditions,
        columns: {
          createdAt: { expression: 'i.id', cast: 'text' },
          name: { expression: 'lower(i.name)', cast: 'text' },
        },
        defaultSort: 'createdAt',
        idColumn: 'i.id',
        list,
        item: viewOf,
      });
    },
  };
}

function viewOf(row: ViewRow): IntegrationView {
  const i = row.integration;
  return {
    id: row.id,
    name: i.name,
    baseUrl: i.base_url,
    verdict: i.verdict,
    cause: i.cause,
    paused: i.paused,
    reachability: i.reachability,
    reachabilityCause: i.reachability_cause,
    reachabilitySince: dateOf(i.reachability_since),
    suspectedAt: dateOrNull(i.suspected_at),
    filters: i.filters,
    history: i.history,
    branches: i.branches,
    autoRotateEnabled: i.auto_rotate_enabled,
    autoRotateDaysBefore: i.auto_rotate_days_before,
    warnings: i.warnings,
    lastVerifiedAt: dateOrNull(i.last_verified_at),
    nextVerifyAt: dateOrNull(i.next_verify_at),
    verifyFailures: i.verify_failures,
    lastSyncAt: dateOrNull(i.last_sync_at),
    nextSyncAt: dateOrNull(i.next_sync_at),
    lastFullSyncAt: dateOrNull(i.last_full_sync_at),
    listed: i.listed,
    createdAt: dateOf(i.created_at),
    updatedAt: dateOf(i.updated_at),
    token: row.credential === null ? null : tokenOf(row.credential),
    rotation: row.rotation === null ? null : rotationOf(row.rotation),
    sync: row.sync,
    hooks: {
      lastAt: dateOrNull(row.hooks?.last_at ?? null),
      hasMissedCommits: row.hooks?.missed ?? false,
    },
    scans: { queued: row.queued, running: row.running },
    counts: {
      repositories: row.repositories,
      excluded: row.excluded,
      missing: row.missing,
      scanned: row.scanned,
      neverScanned: row.never_scanned,
      openFindings: row.open_findings,
    },
  };
}

function rotationOf(t: RotationJson): RotationView {
  return {
    state: t.state,
    at: dateOf(t.created_at),
    tokenName: t.token_name,
    newTokenId: t.new_token_id,
    expiresOn: t.expires_on,
  };
}

function tokenOf(c: CredentialJson): TokenView | null {
  if (c.facts_at === null) return null;
  return {
    gitlabTokenId: c.gitlab_token_id,
    name: c.token_name,
    scopes: c.scopes,
    granular: c.granular,
    mayRotate: c.may_rotate,
    ownerUsername: c.owner_username,
    ownerKind: c.owner_kind,
    createdAt: dateOrNull(c.token_created_at),
    lastUsedAt: dateOrNull(c.token_last_used_at),
    replacedAt: dateOrNull(c.current_at),
    expiry: storedExpiry({ expiresOn: c.expires_on, expiryKnown: c.expiry_known }),
    flag: c.flag,
    flaggedAt: dateOrNull(c.flagged_at),
  };
}
