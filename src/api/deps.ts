import type { IncomingMessage } from 'node:http';
import type { Database } from '../db/database.ts';
import type { EventFeed } from '../db/event-feed.ts';
import type { Located } from '../domain/explain.ts';
import type { HistoryMode } from '../domain/integration.ts';
import type { Isolation } from '../domain/isolation.ts';
import type { SignOn, Starters, TokenProbe } from '../domain/ports.ts';
import type { Secret } from '../domain/secret.ts';
import type { ApiKeyRole } from '../domain/user.ts';
import type { Log } from '../log/logger.ts';
import type { HttpMetrics } from '../metrics/http.ts';
import type { Passwords } from '../vault/passwords.ts';
import type { Vault } from '../vault/vault.ts';
import type { BackgroundWork } from './background-work.ts';

export const TOOL_STATUSES = ['ok', 'failed', 'unavailable', 'off'] as const;
export const KEY_STATES = ['seals', 'opens'] as const;

export interface About {
  version: string;
  commit: string | null;
  temporalUi: string | null;
  namespace: string;
  database: string;
  tools: {
    name: string;
    version: string | null;
    source: string | null;
    status: (typeof TOOL_STATUSES)[number];
  }[];
  keys: { id: string; state: (typeof KEY_STATES)[number]; uses: number }[];
  /** How each scan worker isolates git and scanners. */
  isolation: ({ worker: string } & Isolation)[];
}

export interface ReadyChecks {
  database: boolean;
  temporal: boolean;
  migrations: boolean;
  workers: boolean;
}

export interface ApiSettings {
  publicUrl: string;
  /** Accepted `Host` headers, with port. */
  hosts: readonly string[];
  /** Default base URL of a new integration. */
  defaultBaseUrl: string;
  expiryThresholds: readonly number[];
  /** How much of the history is scanned, for integrations without a mode of their own. */
  history: HistoryMode;
  /** True when a mail server is configured. */
  mail: boolean;
  version: string;
  /** CIDRs of proxies whose `X-Forwarded-For` is trusted. */
  trustedProxies: readonly string[];
  /** Folder of the built dashboard; it may not exist. */
  dashboardFolder: string;
}

/** Dependencies of the API, built in `src/main`. */
export interface ApiDeps {
  database: Database;
  vault: Vault;
  starters: Starters;
  feed: EventFeed;
  background: BackgroundWork;
  log: Log;
  metrics: HttpMetrics;
  settings: ApiSettings;
  /** Keyed hash of a token, to detect one that is already integrated. */
  hashToken: (token: Secret) => string;
  /** Tests a token without storing anything. */
  probe: TokenProbe;
  /**
   * Asks GitLab what the token of an integration can see of one project.
   * @throws SecuError `not_found` | `token_*` | `account_blocked` | `not_gitlab` | `gitlab_*`
   */
  locate: (input: { integrationId: string; path: string }) => Promise<Located>;
  /** Keyed hash of a request body, which may contain a token. */
  hashBody: (body: string) => string;
  /** Keyed hash of a user name at sign-in: it may be a password typed into the wrong field. */
  hashName: (name: string) => string;
  passwords: Passwords;
  /** `null` when single sign-on is not set up. */
  signOn: SignOn | null;
  /** @throws SecuError `origin_not_allowed` */
  checkOrigin: (baseUrl: string) => void;
  /** Checks that channels may send to this URL, as far as it can be known now. @throws SecuError `origin_not_allowed` */
  checkChannelOrigin: (origin: string) => Promise<void>;
  about: () => Promise<About>;
  ready: () => Promise<ReadyChecks>;
  now: () => Date;
}

/** An API key, or a person with a session. */
export interface Principal {
  kind: 'key' | 'user';
  id: string;
  name: string;
  role: ApiKeyRole;
  /** Session id; `null` for an API key. */
  sessionId: string | null;
}

/** Who made the request, its id, and the client's address. */
export interface RequestOrigin {
  principal: Principal;
  requestId: string;
  address: string;
}

/** The actor of an audit event: principal, request id and address. */
export interface AuditedBy {
  actor: string;
  requestId: string;
  address: string;
}

export interface ApiEnv {
  Variables: { principal: Principal; requestId: string; address: string };
  /** Bindings of the HTTP server; absent when a test calls the app directly. */
  Bindings: { incoming?: Pick<IncomingMessage, 'socket'> };
}
