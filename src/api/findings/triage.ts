import type { Triaged, TriageTarget } from '../../db/stores/triage.ts';
import { SecuError } from '../../domain/errors.ts';
import type { NewEvent } from '../../domain/event.ts';
import type { ApiDeps, RequestOrigin } from '../deps.ts';
import { actorOf } from '../middleware/authenticate.ts';
import type { z } from '../shared.ts';
import { iso } from '../shared.ts';
import type { TriageOne } from './schemas.ts';

/** An event lists finding ids only up to this count. */
const NAMED = 100;

/**
 * Ignores or reopens findings, with one event per repository.
 * @returns the number of changed findings
 * @throws SecuError `invalid_request` when `until` is not in the future
 */
export async function triage({
  deps,
  by: { principal, requestId },
  target,
  verdict,
}: {
  deps: ApiDeps;
  by: RequestOrigin;
  target: TriageTarget;
  verdict: z.infer<typeof TriageOne>;
}): Promise<number> {
  const now = deps.now();
  const actor = actorOf(principal);
  const { reason, comment, until } = verdict.triage ?? {};
  if (until !== undefined && until <= iso(now).slice(0, 10))
    throw new SecuError('invalid_request', 'triage.until: must be a day after today (UTC)');
  const stored =
    reason === undefined
      ? null
      : {
          reason,
          comment: comment === undefined || comment === '' ? null : comment,
          by: actor,
          at: iso(now),
          until: until ?? null,
        };
  const triaged = await deps.database.transaction(async (tx) => {
    const changed = await tx.triage.set(target, stored);
    const events = changed.map((part) =>
      eventOf({ part, actor, requestId, status: verdict.status, reason: reason ?? null }),
    );
    await tx.events.add(events, now);
    return changed;
  });
  return triaged.reduce((sum, { findingIds }) => sum + findingIds.length, 0);
}

function eventOf({
  part: { integrationId, repositoryId, fullPath, findingIds },
  actor,
  requestId,
  status,
  reason,
}: {
  part: Triaged;
  actor: string;
  requestId: string;
  status: 'ignored' | 'open';
  reason: string | null;
}): NewEvent {
  const [first] = findingIds;
  const many = findingIds.length;
  const what = `${many} ${many === 1 ? 'finding' : 'findings'} in ${fullPath}`;
  return {
    kind: 'finding.triaged',
    integrationId,
    repositoryId,
    actor,
    text: reason === null ? `Opened ${what} again.` : `Ignored ${what}: ${reason}.`,
    data: {
      ...(many === 1 ? { findingId: first } : { findingIds: findingIds.slice(0, NAMED) }),
      count: many,
      status,
      reason,
      requestId,
    },
  };
}
