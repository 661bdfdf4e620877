import type { ClientResponse, hc } from 'hono/client';
import type { App } from '../../../src/api/app.ts';

// Types only, taken from the API's own: a table over one of these unions does not compile until a value that the
// server added has its row.
type Api = ReturnType<typeof hc<App>>['api']['v1'];

/** The body of a successful answer; error answers (RFC 9457) are thrown as `Problem`. */
export type Body<R> =
  R extends ClientResponse<infer T, infer _Status, infer _Format>
    ? T extends { requestId: string; code: string }
      ? never
      : T
    : never;
type Answer<Call extends (...input: never[]) => Promise<unknown>> = Body<Awaited<ReturnType<Call>>>;

export type Integration = Answer<Api['integrations'][':id']['$get']>;
export type Token = NonNullable<Integration['token']>;
export type IntegrationStatus = Integration['status'];
export type OwnerKind = Token['owner']['kind'];
export type TokenWarning = Token['warnings'][number];
export type DryRun = Answer<Api['integrations']['test']['$post']>;
export type CheckName = DryRun['checks'][number]['name'];
export type SyncRun = Answer<Api['integrations'][':id']['syncs']['$get']>['items'][number];

export type Repository = Answer<Api['repositories'][':id']['$get']>;
export type RepositoryState = Repository['state'];
export type Exclusion = NonNullable<Repository['excludedBecause']>;

export type Scan = Answer<Api['scans'][':id']['$get']>;
export type ScanPhase = NonNullable<Scan['phase']>;
export type ScannerStatus = Scan['scanners'][number]['status'];
export type SkipReason = Scan['scanners'][number]['filesSkipped'][number]['reason'];

export type Finding = Answer<Api['findings'][':id']['$get']>;
export type Severity = Finding['severity'];
export type FindingStatus = Finding['status'];
export type FindingKind = Finding['kind'];
export type TriageReason = NonNullable<Finding['triage']>['reason'];

export type StoredEvent = Answer<Api['events']['$get']>['items'][number];
export type EventKind = StoredEvent['kind'];
export type Channel = Answer<Api['channels']['$get']>['items'][number];
export type ChannelKind = Channel['kind'];
export type ChannelEventKind = Channel['events'][number];
export type AuditKind = Exclude<EventKind, ChannelEventKind | `notification.${string}`>;
export type Delivery = Answer<Api['channels'][':id']['deliveries']['$get']>['items'][number];
export type DeliveryState = Delivery['state'];
export type DeliveryCause = NonNullable<Delivery['cause']>;

export type Role = Answer<Api['auth']['me']['$get']>['role'];
export type User = Answer<Api['users']['$get']>['items'][number];
export type ApiKey = Answer<Api['api-keys']['$get']>['items'][number];
export type About = Answer<Api['about']['$get']>;
export type ToolStatus = About['tools'][number]['status'];
export type KeyState = About['keys'][number]['state'];

export type Overview = Answer<Api['overview']['$get']>;
export type AttentionItem = Overview['attention'][number];
export type AttentionKind = AttentionItem['kind'];

/** Every cause that the API names, for an integration, a scan, a dry run or an item that needs attention. */
export type Cause = NonNullable<
  | Integration['cause']
  | Integration['reachability']['cause']
  | Scan['cause']
  | DryRun['cause']
  | AttentionItem['cause']
>;
