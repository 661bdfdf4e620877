import { isDeepStrictEqual } from 'node:util';
import type { IntegrationChange, IntegrationRow } from '../../db/stores/integrations.ts';
import type { OutboxEntry } from '../../db/stores/outbox.ts';
import { SecuError } from '../../domain/errors.ts';
import type { NewEvent } from '../../domain/event.ts';
import type { Filters } from '../../domain/integration.ts';
import { rotatableOf } from '../../domain/rotation.ts';
import { wake } from '../commands.ts';
import type { ApiDeps } from '../deps.ts';
import { actorOf } from '../middleware/authenticate.ts';
import type { z } from '../shared.ts';
import { found, integrationAuditEvent } from '../shared.ts';
import { nameTaken, storeUniquely } from './create.ts';
import type { IntegrationRequest } from './integration-request.ts';
import { assertMayRotateItself, assertPossibleExpiry } from './rotate.ts';
import type { IntegrationPatch } from './schemas.ts';

type Change = IntegrationRequest & { body: z.infer<typeof IntegrationPatch> };

/** Changes name, filters, branches, history, pause or a known expiry date in one transaction, then wakes the workflow. */
export async function patchIntegration(input: Change): Promise<void> {
  const wakes = await storeUniquely(() => input.deps.database.transaction((tx) => storeChange(tx, input)));
  await wake(input.deps, wakes);
}

async function storeChange(tx: ApiDeps['database']['stores'], input: Change): Promise<OutboxEntry[]> {
  const { deps, principal, requestId, id, body } = input;
  const now = deps.now();
  const row = found(await tx.integrations.lock(id), 'integration');
  const change: IntegrationChange = {};
  const events: NewEvent[] = [];
  const wakes: OutboxEntry[] = [];
  if (body.name !== undefined && body.name !== row.name) {
    const taken = await tx.integrations.takenNames();
    if (body.name.toLowerCase() !== row.name.toLowerCase() && taken.has(body.name.toLowerCase()))
      throw nameTaken(body.name);
    change.name = body.name;
  }
  const before = settingsOf(row);
  const formerExpiry =
    body.expiresAt === undefined ? undefined : await setExpiry({ tx, id, expiresAt: body.expiresAt, now });
  if (body.autoRotate !== undefined) {
    if (body.autoRotate.enabled)
      await assertRotatable({ tx, row, daysBefore: body.autoRotate.daysBefore, now });
    change.autoRotateEnabled = body.autoRotate.enabled;
    change.autoRotateDaysBefore = body.autoRotate.daysBefore;
  }
  if (body.history !== undefined) change.history = body.history;
  if (body.branches !== undefined) change.branches = body.branches;
  if (body.filters !== undefined) change.filters = mergeFilters(row.filters, body.filters);
  if (body.filters !== undefined || body.branches !== undefined) {
    // a running sync still has the old filters and branches
    await tx.syncs.open({ integrationId: id, trigger: 'manual', requestId, now });
    await tx.syncs.runAgain(id);
  }
  if (body.paused !== undefined && body.paused !== row.paused) {
    change.paused = body.paused;
    events.push({
      kind: body.paused ? 'integration.paused' : 'integration.resumed',
      integrationId: id,
      actor: actorOf(principal),
      text: body.paused ? `${row.name} was paused.` : `${row.name} was resumed.`,
      data: { requestId },
    });
    if (!body.paused) {
      await tx.commands.add({ integrationId: id, kind: 'verify', requestId, now });
      wakes.push(await tx.outbox.add({ kind: 'wake_fleet', integrationId: id, now }));
    }
  }
  await tx.integrations.changeLocked(id, change, now);
  const changes = differences(
    { ...before, ...(formerExpiry === undefined ? {} : { expiresAt: formerExpiry }) },
    {
      ...settingsOf({ ...row, ...change }),
      ...(formerExpiry === undefined ? {} : { expiresAt: body.expiresAt }),
    },
  );
  if (Object.keys(changes.after).length > 0) {
    const text = `${row.name}: ${Object.keys(changes.after).join(', ')} changed.`;
    const kind = 'settings.integration_changed';
    events.push(integrationAuditEvent(input, { kind, integrationId: id, text, data: changes }));
  }
  await tx.events.add(events, now);
  return [...wakes, await tx.outbox.add({ kind: 'wake_integration', integrationId: id, now })];
}

/** The settings of an integration that a person can change. */
function settingsOf(row: IntegrationRow) {
  const { name, paused, filters, history, branches } = row;
  const { autoRotateEnabled: enabled, autoRotateDaysBefore: daysBefore } = row;
  return { name, paused, filters, history, branches, autoRotate: { enabled, daysBefore } };
}

/** The fields whose values differ, before and after. */
function differences<T extends object>(before: T, after: T): { before: Partial<T>; after: Partial<T> } {
  const changed = (Object.keys(after) as (keyof T)[]).filter(
    (name) => !isDeepStrictEqual(before[name], after[name]),
  );
  const pick = (from: T) => Object.fromEntries(changed.map((name) => [name, from[name]])) as Partial<T>;
  return { before: pick(before), after: pick(after) };
}

async function assertRotatable(input: {
  tx: ApiDeps['database']['stores'];
  row: IntegrationRow;
  daysBefore: number;
  now: Date;
}): Promise<void> {
  const { tx, row, daysBefore, now } = input;
  const credential = found(await tx.credentials.current(row.id), 'integration');
  assertMayRotateItself({
    token: rotatableOf({ integration: row, credential, inDoubt: false }),
    createdAt: credential.tokenCreatedAt?.toISOString() ?? null,
    daysBefore,
    nowMs: now.getTime(),
  });
}

export function mergeFilters(
  now: Filters,
  patch: NonNullable<z.infer<typeof IntegrationPatch>['filters']>,
): Filters {
  return {
    include: patch.include ?? now.include,
    exclude: patch.exclude ?? now.exclude,
    archived: patch.archived ?? now.archived,
    forks: patch.forks ?? now.forks,
    personal: patch.personal ?? now.personal,
  };
}

/** @returns the expiry date before */
async function setExpiry({
  tx,
  id,
  expiresAt,
  now,
}: {
  tx: ApiDeps['database']['stores'];
  id: string;
  expiresAt: string;
  now: Date;
}): Promise<string | null> {
  assertPossibleExpiry(expiresAt, now);
  const credential = found(await tx.credentials.current(id), 'integration');
  if (credential.expiry.kind !== 'unknown' && !credential.granular) {
    throw new SecuError(
      'invalid_request',
      'expiresAt: GitLab reports when this token expires, so it cannot be set here',
    );
  }
  await tx.credentials.setExpiry({ id: credential.id, expiresOn: expiresAt });
  return credential.expiry.kind === 'on' ? credential.expiry.date : null;
}
