import { afterAll, afterEach, beforeAll, expect, test } from '@jest/globals';
import type { FaultAnswer } from '../../simulator/index.ts';
import type { Probing } from './probing.ts';
import { openProbing } from './probing.ts';

let probing: Probing;

beforeAll(async () => {
  probing = await openProbing();
});
afterAll(() => probing.close());
afterEach(() => probing.simulator.control.faults.clear());

const SELF = '/api/v4/personal_access_tokens/self';
const LIST = /^\/api\/v4\/projects\?/;
const GIT = /\.git\//;
const api = (id: string): FaultAnswer => ({ kind: 'case', of: 'api', id });
const git = (id: string): FaultAnswer => ({ kind: 'case', of: 'git', id });

test.each<[string, string | RegExp, FaultAnswer]>([
  ['an expired token', SELF, api('expired')],
  ['a revoked token', SELF, api('revoked')],
  ['an unknown token', SELF, api('unknown_token')],
  ['another kind of token', SELF, api('self_with_oauth_token')],
  ['a switched-off impersonation', SELF, api('impersonation_disabled')],
  ['a demand for proof of possession', SELF, api('dpop_required')],
  ['a blocked owner', SELF, api('user_blocked')],
  ['an owner who has to accept terms', SELF, api('user_terms')],
  ['a page in the place of the API', SELF, { kind: 'html', status: 200 }],
  ['a gateway without an answer', SELF, api('bad_gateway_html')],
  ['a limit', SELF, { kind: 'rate_limit', limiter: 'application' }],
  ['a redirect', SELF, { kind: 'redirect', location: 'https://other.example.com/api/v4/x' }],
  ['a listing without the scope', LIST, api('scope_projects')],
  ['a listing that wants a fine-grained token', LIST, api('granular_permission_missing')],
  ['a listing that fails', LIST, api('server_error')],
  ['Git without the scope', GIT, git('scope_without_code')],
  ['Git that wants single sign-on', GIT, git('sso_session')],
  ['Git behind a gateway', GIT, git('html_gateway')],
  ['Git for a banned address', GIT, git('ip_banned')],
  ['Git that refuses this repository', GIT, git('role_without_code_or_repository_off')],
  ['Git over HTTP that is off', GIT, git('http_disabled')],
])('the dry run and the verification agree about %s', async (_what, path, answer) => {
  probing.simulator.control.faults.add({ match: { path }, answer });
  const run = await probing.dryRun({ token: probing.goodToken() });
  const outcome = await probing.verify(probing.goodToken());
  const expected = { active: 'usable', invalid: 'unusable', none: 'unknown' } as const;
  expect([run.verdict, run.cause]).toEqual([
    expected[outcome.verdict],
    outcome.verdict === 'active' ? null : outcome.cause,
  ]);
});
