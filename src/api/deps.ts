import type { IncomingMessage } from 'node:http';
import type { Database } from '../db/database.ts';
import type { ApiKeyRole } from '../db/entities/system.ts';
import type { EventFeed } from '../db/event-feed.ts';
import type { Located } from '../domain/explain.ts';
import type { SignOn, Starters, TokenProbe } from '../domain/ports.ts';
import type { Secret } from '../domain/secret.ts';
import type { Log } from '../log/logger.ts';
import type { HttpMetrics } from '../metrics/http.ts';
import type { Passwords } from '../vault/passwords.ts';
import type { Vault } from '../vault/vault.ts';

export interface About {
  version: string;
  commit: string | null;
  temporalUi: string | null;
  namespace: string;
  database: string;
  tools: { name: string; version: string | null; source: string | null; status: string }[];
  keys: { id: string; state: string; uses: number }[];
}

export interface ReadyChecks {
  database: boolean;
  temporal: boolean;
  migrations: boolean;
  workers: boolean;
}

export interface ApiSettings {
  publicUrl: string;
  /** Hosts (with port) that requests may name. */
  hosts: readonly string[];
  /** The base URL of an integration that names none. */
  defaultBaseUrl: string;
  expiryThresholds: readonly number[];
  /** A mail server is set. */
  mail: boolean;
  version: string;
  /** CIDRs of proxies that are believed when they name the client's address. */
  trustedProxies: readonly string[];
  /** Where the built dashboard lies; there may be none. */
  dashboardFolder: string;
}

/** Everything the API is handed; it opens nothing itself. */
export interface ApiDeps {
  database: Database;
  vault: Vault;
  starters: Starters;
  feed: EventFeed;
  log: Log;
  metrics: HttpMetrics;
  settings: ApiSettings;
  /** Keyed hash of a token, to notice one that is integrated already. */
  hashToken: (token: Secret) => string;
  /** Looks at a token without storing anything. */
  probe: TokenProbe;
  /**
   * What GitLab shows the token of an integration of one project.
   * @throws SecuError `not_found` | `token_*` | `account_blocked` | `not_gitlab` | `gitlab_*`
   */
  locate: (input: { integrationId: string; path: string }) => Promise<Located>;
  /** Keyed hash of a request's body, which may hold a token. */
  hashBody: (body: string) => string;
  /** Keyed hash of a name that somebody signs in by: it may be a password in the wrong field. */
  hashName: (name: string) => string;
  passwords: Passwords;
  /** `null` where there is no single sign-on. */
  signOn: SignOn | null;
  /** @throws SecuError `origin_not_allowed` */
  checkOrigin: (baseUrl: string) => void;
  /** Whether a channel may send there, as far as it can be said now. @throws SecuError `origin_not_allowed` */
  checkChannelOrigin: (origin: string) => Promise<void>;
  about: () => Promise<About>;
  ready: () => Promise<ReadyChecks>;
  now: () => Date;
}

/** An API key, or a person by one of their sessions. */
export interface Principal {
  kind: 'key' | 'user';
  id: string;
  name: string;
  role: ApiKeyRole;
  /** Of a person; `null` for a key. */
  sessionId: string | null;
}

/** Who asks, by which request. */
export interface Asked {
  principal: Principal;
  requestId: string;
}

/** As audit events tell it: who acts, by which request, from which address. */
export interface AuditedBy {
  actor: string;
  requestId: string;
  address: string;
}

export interface ApiEnv {
  Variables: { principal: Principal; requestId: string; address: string };
  /** What the HTTP server hands on; nothing where a request was never on a wire. */
  Bindings: { incoming?: Pick<IncomingMessage, 'socket'> };
}
