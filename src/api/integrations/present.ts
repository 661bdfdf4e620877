import type { IntegrationView, TokenView } from '../../db/stores/integration-view.ts';
import type { SyncView } from '../../db/stores/syncs.ts';
import { adviceFor } from '../../domain/causes.ts';
import { escapeForeignText } from '../../domain/finding.ts';
import { hookState } from '../../domain/hook.ts';
import type { OwnerKind } from '../../domain/integration.ts';
import { OWNER_KINDS, statusOf } from '../../domain/integration.ts';
import type { RotatableToken } from '../../domain/rotation.ts';
import { lostRotationText, rotationBlock } from '../../domain/rotation.ts';
import { rotationBlockText } from '../../domain/rotation-block-texts.ts';
import { daysLeft, expiryDate, expiryState, nextFlagMs, standingFlag } from '../../domain/token-expiry.ts';
import type { z } from '../shared.ts';
import { iso, isoOrNull } from '../shared.ts';
import type { IntegrationSchema, SyncRunSchema } from './schemas.ts';

type Integration = z.infer<typeof IntegrationSchema>;

/** An integration for the API: allow-listed fields; dates relative to now are computed on reading. */
export function presentIntegration(
  view: IntegrationView,
  context: { thresholds: readonly number[]; now: Date },
): Integration {
  const { verdict, cause } = view;
  return {
    id: view.id,
    provider: 'gitlab',
    type: 'git',
    name: view.name,
    baseUrl: view.baseUrl,
    status: statusOf(view),
    cause: verdict === 'invalid' ? (cause ?? null) : null,
    advice: adviceOf(view),
    reachability: {
      state: view.reachability,
      cause: view.reachabilityCause ?? null,
      since: iso(view.reachabilitySince),
    },
    token:
      view.token === null
        ? null
        : presentToken({
            token: view.token,
            warnings: view.warnings,
            rotatable: situationOf(view),
            ...context,
          }),
    filters: view.filters,
    branches: view.branches,
    history: view.history ?? null,
    autoRotate: { enabled: view.autoRotateEnabled, daysBefore: view.autoRotateDaysBefore },
    lastVerifiedAt: isoOrNull(view.lastVerifiedAt),
    nextVerifyAt: isoOrNull(view.nextVerifyAt),
    sync: presentSync(view),
    hooks: {
      lastAt: isoOrNull(view.hooks.lastAt),
      state: hookState({ ...view.hooks, now: context.now }),
    },
    scans: view.scans,
    counts: view.counts,
    createdAt: iso(view.createdAt),
    updatedAt: iso(view.updatedAt),
  };
}

/** The state of the integration that decides, besides the token, whether it can be rotated. */
function situationOf(view: IntegrationView): Pick<RotatableToken, 'verdict' | 'cause' | 'inDoubt'> {
  const state = view.rotation?.state;
  return {
    verdict: view.verdict,
    cause: view.cause ?? null,
    inDoubt: state === 'intent' || state === 'committed',
  };
}

function adviceOf(view: IntegrationView): string | null {
  const { rotation } = view;
  if (view.verdict === 'invalid' && view.cause === 'rotation_lost' && rotation !== null) {
    const tokenName = rotation.tokenName === null ? null : escapeForeignText(rotation.tokenName);
    return lostRotationText({ ...rotation, tokenName, expiresAt: rotation.expiresOn, baseUrl: view.baseUrl });
  }
  if (view.verdict === 'invalid') return adviceFor(view.cause ?? null);
  if (view.reachability !== 'unreachable') return null;
  return adviceFor(view.reachabilityCause ?? null);
}

function presentSync(view: IntegrationView): Integration['sync'] {
  const last = view.sync;
  const rest = { lastCompletedAt: isoOrNull(view.lastSyncAt), listed: view.listed };
  if (last === null) return { ...rest, state: 'idle', complete: false, cause: null };
  const { cause } = last;
  if (last.state === 'running')
    return { ...rest, state: cause === null ? 'running' : 'waiting', complete: false, cause };
  if (last.state === 'queued') return { ...rest, state: 'waiting', complete: false, cause };
  const state = last.state === 'failed' ? 'failed' : last.state === 'waiting' ? 'waiting' : 'idle';
  return { ...rest, state, complete: last.complete, cause };
}

export function presentToken(input: {
  token: TokenView;
  warnings: IntegrationView['warnings'];
  rotatable: Pick<RotatableToken, 'verdict' | 'cause' | 'inDoubt'>;
  thresholds: readonly number[];
  now: Date;
}): Integration['token'] {
  const { token, thresholds } = input;
  const nowMs = input.now.getTime();
  const { mayRotate, expiry } = token;
  const expiresAt = expiryDate(expiry);
  const rotateBlockedBy = rotationBlock({ ...input.rotatable, mayRotate, expiry }, nowMs);
  const flag = standingFlag({ flag: token.flag, flaggedAtMs: token.flaggedAt?.getTime() ?? null, nowMs });
  const nextFlag = nextFlagMs({ expiry, nowMs, thresholds, flagged: flag });
  return {
    gitlabTokenId: token.gitlabTokenId,
    name: token.name === null ? null : escapeForeignText(token.name),
    scopes: token.scopes.map(escapeForeignText),
    granular: token.granular,
    owner: {
      username: token.ownerUsername === null ? null : escapeForeignText(token.ownerUsername),
      kind: ownerKindOf(token.ownerKind),
    },
    createdAt: isoOrNull(token.createdAt),
    lastUsedAt: isoOrNull(token.lastUsedAt),
    replacedAt: isoOrNull(token.replacedAt),
    expiresAt,
    expiry: {
      state: expiryState({ expiry, nowMs, thresholds }),
      daysLeft: expiresAt === null ? null : daysLeft({ expiresAt, nowMs }),
      flag,
      flaggedAt: flag === null ? null : isoOrNull(token.flaggedAt),
      nextFlagAt: nextFlag === null ? null : new Date(nextFlag).toISOString(),
    },
    canRotate: rotateBlockedBy === null,
    rotateBlockedBy,
    rotateBlockedReason: rotateBlockedBy === null ? null : rotationBlockText(rotateBlockedBy),
    warnings: input.warnings,
  };
}

function ownerKindOf(text: string): OwnerKind {
  return OWNER_KINDS.find((kind) => kind === text) ?? 'unknown';
}

export function presentSyncRun(run: SyncView): z.infer<typeof SyncRunSchema> {
  const state =
    (['queued', 'running', 'waiting', 'done', 'failed'] as const).find((known) => known === run.state) ??
    'failed';
  return {
    ...run,
    state,
    createdAt: iso(run.createdAt),
    startedAt: isoOrNull(run.startedAt),
    finishedAt: isoOrNull(run.finishedAt),
  };
}
