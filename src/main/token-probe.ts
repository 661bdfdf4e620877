import { INVALID_CAUSES } from '../domain/causes.ts';
import type { DryRunObservations, Step } from '../domain/dry-run.ts';
import { NOT_TRIED } from '../domain/dry-run.ts';
import { DRY_RUN_CAUSES } from '../domain/dry-run-causes.ts';
import { causeOfRefusal, stepOf } from '../domain/dry-run-refusal.ts';
import { isSecuError } from '../domain/errors.ts';
import type { TokenFacts } from '../domain/integration.ts';
import type { GitRemote, TokenProbe } from '../domain/ports.ts';
import type { Secret } from '../domain/secret.ts';
import { UNREADABLE_TOKEN } from '../domain/verification.ts';
import type { GitlabApi, GitlabClient, RepositorySample } from '../gitlab/client.ts';
import { cloneSamplesOf } from '../gitlab/client.ts';
import { checkConnection } from '../gitlab/connection-check.ts';
import type { OutboundPolicy } from '../outbound/policy.ts';

/** The contract gives a dry run ten seconds; this leaves one for everything around it. */
const DEADLINE_MS = 9_000;

interface Parts {
  policy: OutboundPolicy;
  gitlab: GitlabClient;
  git: GitRemote;
  deadlineMs?: number;
}

const NOTHING: Omit<DryRunObservations, 'origin' | 'prefixKind'> = {
  dns: NOT_TRIED,
  tcp: NOT_TRIED,
  tls: NOT_TRIED,
  certificateDays: null,
  gitlab: NOT_TRIED,
  self: NOT_TRIED,
  token: null,
  list: NOT_TRIED,
  clone: NOT_TRIED,
  reach: null,
  rateLimit: null,
};

/** Looks at a token as a person who debugs would, from the wire up; the first layer that fails ends it. */
export function createTokenProbe(parts: Parts): TokenProbe {
  return {
    async probe({ baseUrl, token }) {
      const { policy, gitlab, deadlineMs = DEADLINE_MS } = parts;
      const signal = AbortSignal.timeout(deadlineMs);
      const api = gitlab.forToken({ baseUrl, token, interactive: true });
      const { prefixKind } = api;
      const origin = originOf(policy, baseUrl);
      if (origin.kind === 'refused' && origin.cause === 'origin_not_allowed')
        return { ...NOTHING, origin, prefixKind };
      const connection = await checkConnection({ policy, url: new URL(baseUrl), signal });
      const seen = { ...NOTHING, ...connection, origin, prefixKind };
      if (Object.values(connection).some((step) => step !== null && isRefused(step))) return seen;
      const greeting = await stepOf(() => api.assertIsGitlab({ signal }).then(() => null), { signal });
      if (greeting.kind !== 'ok') return { ...seen, gitlab: greeting };
      const looked = await lookAtToken({ ...parts, api, baseUrl, token, signal });
      return { ...seen, gitlab: greeting, ...looked, rateLimit: api.rateLimit() };
    },
  };
}

function isRefused(step: Step | number): boolean {
  return typeof step !== 'number' && step.kind === 'refused';
}

function originOf(policy: OutboundPolicy, baseUrl: string): Step {
  try {
    const url = policy.check(baseUrl);
    return url.protocol === 'http:'
      ? { kind: 'refused', cause: 'plain_http', detail: url.origin }
      : { kind: 'ok', detail: url.origin };
  } catch (err) {
    if (!isSecuError(err)) throw err;
    return { kind: 'refused', cause: causeOfRefusal(err, 'api'), detail: null };
  }
}

interface Looking extends Parts {
  api: GitlabApi;
  baseUrl: string;
  token: Secret;
  signal: AbortSignal;
}

async function lookAtToken(
  input: Looking,
): Promise<Pick<DryRunObservations, 'self' | 'token' | 'list' | 'clone' | 'reach'>> {
  const { api, signal } = input;
  const nothing = { list: NOT_TRIED, clone: NOT_TRIED, reach: null };
  let facts: TokenFacts | null = null;
  const asked = await stepOf(
    async () => {
      facts = await api.describeToken({ signal });
      return null;
    },
    { signal },
  );
  const self = readsItself(asked)
    ? asked
    : ({ ...asked, kind: 'refused', cause: 'token_may_not_read_itself' } as const);
  const token: TokenFacts | null = self === asked ? facts : UNREADABLE_TOKEN;
  if (token === null) return { self, token, ...nothing };
  const { list, samples } = await listOnce(input, token);
  if (list.kind !== 'ok') return { self, token, ...nothing, list };
  const [clone, reach] = await Promise.all([cloneOne(input, samples, token), reachOf(input)]);
  return { self, token, list, clone, reach };
}

/** A fine-grained token without the permission to read itself lives, and may well list and clone. */
function readsItself(step: Step): boolean {
  return step.kind !== 'refused' || step.cause !== 'permission_missing_list';
}

async function listOnce(
  { api, signal }: Looking,
  token: TokenFacts,
): Promise<{ list: Step; samples: readonly RepositorySample[] }> {
  let samples: readonly RepositorySample[] = [];
  const list = await stepOf(
    async () => {
      const page = await api.listProjectsPage({ idAfter: null, signal });
      samples = cloneSamplesOf(page.repositories);
      return page.entries.length === 0 ? 'nothing' : `${page.entries.length} on the first page`;
    },
    { signal },
  );
  // a classic token is refused so only where a policy wants fine-grained ones
  const isPolicy = list.kind === 'refused' && list.cause === 'permission_missing_list' && !token.granular;
  return { list: isPolicy ? { ...list, cause: 'fine_grained_required' } : list, samples };
}

/** The same evidence as a verification asks for: one repository that fails alone proves nothing. */
async function cloneOne(
  { git, baseUrl, token, signal }: Looking,
  samples: readonly RepositorySample[],
  facts: TokenFacts,
): Promise<Step> {
  const [first, ...others] = samples;
  if (first === undefined) return { kind: 'not_tried', detail: 'nothing is listed that could be cloned' };
  const readSample = async ({ fullPath }: RepositorySample): Promise<Step> => {
    const step = await stepOf(
      async () => {
        await git.readHead({ baseUrl, fullPath, token, signal });
        return fullPath;
      },
      { signal, via: 'git' },
    );
    const isPermission = step.kind === 'refused' && step.cause === 'fine_grained_required' && facts.granular;
    return isPermission ? { ...step, cause: 'permission_missing_clone' } : step;
  };
  const step = await readSample(first);
  if (step.kind === 'ok') return step;
  return cloneStepOf([step, ...(await Promise.all(others.map(readSample)))]);
}

function cloneStepOf(steps: readonly Step[]): Step {
  const readable = steps.find(({ kind }) => kind === 'ok');
  if (readable !== undefined) return readable;
  const refusals = steps.flatMap((step) => (step.kind === 'refused' ? step : []));
  const definite = refusals.find(({ cause }) => isInvalidCause(DRY_RUN_CAUSES[cause].as));
  const notProven = refusals.find(({ cause }) => cause === 'clone_not_proven');
  const [outage] = refusals;
  if (definite !== undefined || outage === undefined) return definite ?? NOT_TRIED;
  if (notProven !== undefined) return notProven;
  return steps.length > 1 ? outage : { ...outage, cause: 'clone_not_proven' };
}

function isInvalidCause(cause: string | null): boolean {
  return INVALID_CAUSES.some((known) => known === cause);
}

/** Counts are worth a line, never the dry run. */
async function reachOf({ api, signal }: Looking): Promise<DryRunObservations['reach']> {
  try {
    return await api.countReach({ signal });
  } catch (err) {
    if (signal.aborted || isSecuError(err)) return null;
    throw err;
  }
}
