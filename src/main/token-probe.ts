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

/** A dry run may take ten seconds in total; one second is reserved for everything else. */
const DEADLINE_MS = 9_000;

interface TokenProbeParts {
  policy: OutboundPolicy;
  gitlab: GitlabClient;
  git: GitRemote;
  deadlineMs?: number;
}

const NOTHING_TRIED: Omit<DryRunObservations, 'origin' | 'prefixKind'> = {
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

/** Checks a token layer by layer, from DNS to cloning. Stops at the first layer that fails. */
export function createTokenProbe(parts: TokenProbeParts): TokenProbe {
  return {
    async probe({ baseUrl, token }) {
      const { policy, gitlab, deadlineMs = DEADLINE_MS } = parts;
      const signal = AbortSignal.timeout(deadlineMs);
      const api = gitlab.forToken({ baseUrl, token, interactive: true });
      const { prefixKind } = api;
      const origin = originOf(policy, baseUrl);
      if (origin.kind === 'refused' && origin.cause === 'origin_not_allowed')
        return { ...NOTHING_TRIED, origin, prefixKind };
      const connection = await checkConnection({ policy, url: new URL(baseUrl), signal });
      const observed = { ...NOTHING_TRIED, ...connection, origin, prefixKind };
      if (Object.values(connection).some((step) => step !== null && isRefused(step))) return observed;
      const gitlabStep = await stepOf(() => api.assertIsGitlab({ signal }).then(() => null), { signal });
      if (gitlabStep.kind !== 'ok') return { ...observed, gitlab: gitlabStep };
      const tokenSteps = await probeToken({ ...parts, api, baseUrl, token, signal });
      return { ...observed, gitlab: gitlabStep, ...tokenSteps, rateLimit: api.rateLimit() };
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

interface TokenProbeInput extends TokenProbeParts {
  api: GitlabApi;
  baseUrl: string;
  token: Secret;
  signal: AbortSignal;
}

async function probeToken(
  input: TokenProbeInput,
): Promise<Pick<DryRunObservations, 'self' | 'token' | 'list' | 'clone' | 'reach'>> {
  const { api, signal } = input;
  const notTried = { list: NOT_TRIED, clone: NOT_TRIED, reach: null };
  let facts: TokenFacts | null = null;
  const selfStep = await stepOf(
    async () => {
      facts = await api.describeToken({ signal });
      return null;
    },
    { signal },
  );
  const self = readsItself(selfStep)
    ? selfStep
    : ({ ...selfStep, kind: 'refused', cause: 'token_may_not_read_itself' } as const);
  const token: TokenFacts | null = self === selfStep ? facts : UNREADABLE_TOKEN;
  if (token === null) return { self, token, ...notTried };
  const { list, samples } = await probeListing(input, token);
  if (list.kind !== 'ok') return { self, token, ...notTried, list };
  const [clone, reach] = await Promise.all([probeClone(input, samples, token), readReach(input)]);
  return { self, token, list, clone, reach };
}

/** A fine-grained token that may not read itself is still valid, and may be able to list and clone. */
function readsItself(step: Step): boolean {
  return step.kind !== 'refused' || step.cause !== 'permission_missing_list';
}

async function probeListing(
  { api, signal }: TokenProbeInput,
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
  // a classic token gets this refusal only if a policy requires fine-grained tokens
  const isPolicy = list.kind === 'refused' && list.cause === 'permission_missing_list' && !token.granular;
  return { list: isPolicy ? { ...list, cause: 'fine_grained_required' } : list, samples };
}

/** Needs the same evidence as a verification: a failure of one repository proves nothing. */
async function probeClone(
  { git, baseUrl, token, signal }: TokenProbeInput,
  samples: readonly RepositorySample[],
  facts: TokenFacts,
): Promise<Step> {
  const [first, ...others] = samples;
  if (first === undefined) return { kind: 'not_tried', detail: 'no listed repository can be cloned' };
  const readSample = async ({ fullPath, defaultBranch }: RepositorySample): Promise<Step> => {
    const step = await stepOf(
      async () => {
        await git.readHead({ baseUrl, fullPath, defaultBranch, token, signal });
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

/** The counts are optional: an error does not fail the dry run. */
async function readReach({ api, signal }: TokenProbeInput): Promise<DryRunObservations['reach']> {
  try {
    return await api.countReach({ signal });
  } catch (err) {
    if (signal.aborted || isSecuError(err)) return null;
    throw err;
  }
}
