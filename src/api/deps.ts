import type { Database } from '../db/database.ts';
import type { ApiKeyRole } from '../db/entities/system.ts';
import type { EventFeed } from '../db/event-feed.ts';
import type { Located } from '../domain/explain.ts';
import type { Starters, TokenProbe } from '../domain/ports.ts';
import type { Secret } from '../domain/secret.ts';
import type { Log } from '../log/logger.ts';
import type { HttpMetrics } from '../metrics/http.ts';
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
  version: string;
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
  /** @throws SecuError `origin_not_allowed` */
  checkOrigin: (baseUrl: string) => void;
  about: () => Promise<About>;
  ready: () => Promise<ReadyChecks>;
  now: () => Date;
}

export interface Principal {
  id: string;
  name: string;
  role: ApiKeyRole;
}

/** Who asks, by which request. */
export interface Asked {
  principal: Principal;
  requestId: string;
}

export interface ApiEnv {
  Variables: { principal: Principal; requestId: string };
}
