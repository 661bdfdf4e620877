import type { AttentionRow } from '../../db/stores/overview.ts';
import { INVALID_CAUSES, REACHABILITY_CAUSES, SCAN_CAUSES } from '../../domain/causes.ts';
import { escapeForeignText } from '../../domain/finding.ts';
import { HISTORY_GAPS } from '../../domain/history.ts';
import { daysLeft } from '../../domain/token-expiry.ts';
import type { ApiDeps } from '../deps.ts';
import { answers, createRoute, createRouter, forRole, iso, z } from '../shared.ts';

const ATTENTION_KINDS = [
  'invalid',
  'expired',
  'expiring',
  'brake_engaged',
  'nothing_clonable',
  'scan_failed',
  'history_failed',
  'unreachable',
  'hooks_silent',
  'no_channel',
] as const;

const OverviewSchema = z
  .object({
    attention: z.array(
      z.object({
        kind: z.enum(ATTENTION_KINDS),
        integrationId: z.string().nullable(),
        repositoryId: z.string().nullable(),
        since: z.iso.datetime(),
        cause: z
          .enum([
            ...INVALID_CAUSES,
            ...REACHABILITY_CAUSES,
            ...SCAN_CAUSES,
            'brake_engaged',
            'nothing_clonable',
            ...HISTORY_GAPS,
          ])
          .nullable(),
        text: z.string(),
      }),
    ),
    freshness: z.object({ scanned24h: z.int(), failed: z.int(), never: z.int(), repositories: z.int() }),
    bySeverity: z.object({ critical: z.int(), high: z.int(), medium: z.int(), low: z.int() }),
    expiry: z.array(
      z.object({
        integrationId: z.string(),
        name: z.string(),
        expiresAt: z.iso.date(),
        daysLeft: z.int(),
        repositories: z.int(),
      }),
    ),
  })
  .openapi('Overview');

const get = createRoute({
  ...forRole('viewer'),
  tags: ['Overview'],
  method: 'get',
  path: '/overview',
  summary: 'Everything that needs attention now',
  responses: answers(200, OverviewSchema, 'The overview'),
});

export function createOverviewRouter(deps: ApiDeps) {
  const { overview, findingViews, channels } = deps.database.stores;
  return createRouter().openapi(get, async (c) => {
    const now = deps.now();
    const attention = (await overview.attention(now)).map((row) => ({
      kind: row.kind,
      integrationId: row.integrationId,
      repositoryId: row.repositoryId,
      since: iso(row.since),
      cause: row.cause,
      text: textOf(row),
    }));
    const gaps = await channels.expiryAlertGaps({ mail: deps.settings.mail });
    const noChannel = expiryAlertGapTexts(gaps).map(({ integrationId, text }) => ({
      kind: 'no_channel' as const,
      integrationId,
      repositoryId: null,
      since: iso(now),
      cause: null,
      text,
    }));
    const expiry = (await overview.expiries()).map(({ expiresOn, since: _since, ...rest }) => ({
      ...rest,
      expiresAt: expiresOn,
      daysLeft: daysLeft({ expiresAt: expiresOn, nowMs: now.getTime() }),
    }));
    return c.json(
      {
        attention: [...attention, ...noChannel],
        freshness: await overview.freshness(now),
        bySeverity: await findingViews.openBySeverity(),
        expiry,
      },
      200,
    );
  });
}

type ExpiryAlertGaps = Awaited<ReturnType<ApiDeps['database']['stores']['channels']['expiryAlertGaps']>>;

function expiryAlertGapTexts({
  allIntegrations,
  integrations,
}: ExpiryAlertGaps): { integrationId: string | null; text: string }[] {
  const advice = 'Create a channel: POST /api/v1/channels.';
  if (allIntegrations) return [{ integrationId: null, text: `No channel sends expiry alerts. ${advice}` }];
  return integrations.map(({ id, name }) => ({
    integrationId: id,
    text: `${escapeForeignText(name)}: no channel sends its expiry alerts. ${advice}`,
  }));
}

function textOf(row: AttentionRow): string {
  const name = escapeForeignText(row.name);
  switch (row.kind) {
    case 'invalid':
      return `${name}: the token does not work (${row.cause ?? 'unknown'}).`;
    case 'expired':
      return `${name}: the token has expired.`;
    case 'expiring':
      return `${name}: the token expires soon.`;
    case 'brake_engaged':
      return `${name}: a sync would remove many repositories and is held back.`;
    case 'nothing_clonable':
      return `${name}: the token lists repositories, and Git refuses every one that was tried.`;
    case 'scan_failed':
      return `${name}: the last scan failed (${row.cause ?? 'unknown'}).`;
    case 'history_failed':
      return `${name}: the history was not read, or not in full (${row.cause ?? 'unknown'}).`;
    case 'unreachable':
      return `${name}: GitLab is not usable (${row.cause ?? 'unknown'}).`;
    case 'hooks_silent':
      return `${name}: webhooks have stopped; new commits are found only by syncs.`;
  }
}
