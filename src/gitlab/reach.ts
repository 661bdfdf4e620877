import type { Reach } from '../domain/dry-run.ts';
import { isSecuError } from '../domain/errors.ts';
import { REPORTER } from './project-pages.ts';
import type { Call } from './requester.ts';
import { getPlain } from './requester.ts';

/**
 * Checks that a GitLab answers: it refuses a request without a token in its own format. @throws the error of any
 * other answer
 */
export async function assertIsGitlab(call: Call): Promise<void> {
  try {
    await getPlain(call, { endpoint: 'version' });
  } catch (err) {
    if (!isSecuError(err, 'token_rejected')) throw err;
  }
}

/**
 * Counts projects and groups from response headers. GitLab omits the total above 10,000 rows; then it is `null`.
 * @see GitLab docs, "REST API", "Pagination response headers"
 */
export async function countReach(call: Call, bearer: string): Promise<Reach> {
  const count = (endpoint: string, filter: string) => countOf({ call, bearer, endpoint, filter });
  const [groups, projects, archived] = await Promise.all([
    count('groups', `min_access_level=${REPORTER}`),
    count('projects', `membership=true&min_access_level=${REPORTER}`),
    count('projects', `membership=true&min_access_level=${REPORTER}&archived=true`),
  ]);
  const memberships = projects === 0 ? await count('projects', 'membership=true') : projects;
  return { groups, projects, archived, memberships };
}

async function countOf(input: {
  call: Call;
  bearer: string;
  endpoint: string;
  filter: string;
}): Promise<number | null> {
  const { call, bearer, endpoint, filter } = input;
  let total: string | null = null;
  const counting: Call = {
    ...call,
    onHeaders(headers) {
      total = headers.get('x-total');
      call.onHeaders?.(headers);
    },
  };
  const headers = { authorization: `Bearer ${bearer}` };
  await getPlain(counting, { endpoint, query: `${filter}&per_page=1`, headers });
  return total === null || !/^\d+$/.test(total) ? null : Number(total);
}

/** The `RateLimit-*` headers, if GitLab sent them. Source: GitLab docs, "Rate limits", "Response headers". */
export function rateLimitOf(headers: Headers): { limit: number; remaining: number } | null {
  const [limit, remaining] = ['ratelimit-limit', 'ratelimit-remaining'].map((name) => headers.get(name));
  if (!/^\d+$/.test(limit ?? '') || !/^\d+$/.test(remaining ?? '')) return null;
  return { limit: Number(limit), remaining: Number(remaining) };
}
