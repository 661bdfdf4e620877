import { describe, expect, test } from '@jest/globals';
import { CAUSE_TEXTS, REACHABILITY_CAUSES } from '../../src/domain/causes.ts';
import type { TokenFacts } from '../../src/domain/integration.ts';
import { mayClone, statusOf } from '../../src/domain/integration.ts';
import { expiryFrom } from '../../src/domain/token-expiry.ts';
import type { TokenObservations } from '../../src/domain/verification.ts';
import { retryDelayMs, verdictOf, wrongKindByPrefix } from '../../src/domain/verification.ts';

const token: TokenFacts = {
  gitlabTokenId: 17,
  name: 'Secu',
  scopes: ['read_api', 'read_repository'],
  granular: false,
  mayRotate: false,
  expiry: expiryFrom('2027-01-31'),
  createdAt: null,
  lastUsedAt: null,
  owner: { username: 'secu-bot', kind: 'service_account' },
};

const good: TokenObservations = {
  self: { kind: 'token', token },
  list: { kind: 'listed', repositories: 2 },
  clone: { kind: 'readable' },
  prefixKind: null,
};

describe('the verdict', () => {
  test('is active if the token can list and clone', () => {
    expect(verdictOf(good)).toEqual({ verdict: 'active', token, warnings: [] });
  });

  const invalid: Array<[string, Partial<TokenObservations>, string]> = [
    ['expired', { self: { kind: 'unauthorized', reason: 'expired' } }, 'token_expired'],
    ['revoked', { self: { kind: 'unauthorized', reason: 'revoked' } }, 'token_revoked'],
    ['not known', { self: { kind: 'unauthorized', reason: 'unknown' } }, 'token_rejected'],
    [
      'not known and named a deploy token',
      { self: { kind: 'unauthorized', reason: 'unknown' }, prefixKind: 'token_is_deploy_token' },
      'token_wrong_kind',
    ],
    ['of a blocked account', { self: { kind: 'blocked' } }, 'account_blocked'],
    ['not an access token', { self: { kind: 'wrong_kind' } }, 'token_wrong_kind'],
    ['on a server that is not GitLab', { self: { kind: 'not_gitlab' } }, 'not_gitlab'],
    ['not allowed to list', { list: { kind: 'scope_missing' } }, 'token_scope_missing'],
    ['not allowed to clone', { clone: { kind: 'scope_missing' } }, 'token_scope_missing'],
    ['blocked by single sign-on', { clone: { kind: 'sso_session_required' } }, 'sso_session_required'],
    ['refused during the listing', { list: { kind: 'unauthorized' } }, 'token_rejected'],
  ];
  test.each(invalid)('is invalid for a token that is %s', (_name, observed, cause) => {
    expect(verdictOf({ ...good, ...observed })).toMatchObject({ verdict: 'invalid', cause });
  });

  test.each(REACHABILITY_CAUSES)('is none while %s, at any step', (cause) => {
    const silence = { kind: 'no_answer', cause } as const;
    for (const observed of [{ self: silence }, { list: silence }, { clone: silence }]) {
      expect(verdictOf({ ...good, ...observed })).toEqual({ verdict: 'none', cause });
    }
  });

  test('is never active without proof that the token can list', () => {
    expect(verdictOf({ ...good, list: { kind: 'not_tried' } }).verdict).toBe('none');
  });

  test('stays active if the sampled repositories refuse for reasons of their own', () => {
    expect(verdictOf({ ...good, clone: { kind: 'not_tried' } }).verdict).toBe('active');
  });

  test('of a fine-grained token that cannot read itself depends on listing and cloning, with unknown expiry', () => {
    const outcome = verdictOf({ ...good, self: { kind: 'self_unreadable' } });
    expect(outcome).toMatchObject({
      verdict: 'active',
      token: { granular: true, expiry: expiryFrom(undefined) },
    });
  });

  test.each([
    [['read_api'], []],
    [['api', 'read_repository'], ['token_overprivileged']],
    [['read_api', 'write_repository'], ['token_overprivileged']],
    [['read_api', 'self_rotate', 'read_user'], []],
    [['read_api', 'sudo'], ['token_overprivileged']],
  ])('with scopes %j has the warnings %j', (scopes, warnings) => {
    expect(verdictOf({ ...good, self: { kind: 'token', token: { ...token, scopes } } })).toMatchObject({
      warnings,
    });
  });

  test('warns about a personal owner and about no repositories', () => {
    const self = { kind: 'token', token: { ...token, owner: { username: 'jane', kind: 'user' } } } as const;
    expect(verdictOf({ ...good, self, list: { kind: 'listed', repositories: 0 } })).toMatchObject({
      warnings: ['token_of_a_person', 'no_repositories'],
    });
  });
});

test('every cause has a title and advice', () => {
  for (const { title, advice } of Object.values(CAUSE_TEXTS)) {
    expect(title.length).toBeGreaterThan(5);
    expect(advice.length).toBeGreaterThan(20);
  }
});

test('the retry interval is 15 s five times, then doubles up to about 10 minutes', () => {
  const waits = [1, 2, 5, 6, 7, 10, 11, 50].map((failures) => retryDelayMs({ failures, jitter: 0.5 }));
  expect(waits).toEqual([15_000, 15_000, 15_000, 30_000, 60_000, 480_000, 600_000, 600_000]);
  expect(retryDelayMs({ failures: 1, jitter: 0 })).toBe(13_500);
  expect(retryDelayMs({ failures: 1, jitter: 1 })).toBe(16_500);
});

test('recovery from a one-minute outage is noticed within 30 s, for any jitter', () => {
  for (const jitter of [0, 0.25, 0.5, 0.75, 1]) {
    for (let outageMs = 55_000; outageMs <= 65_000; outageMs += 100) {
      let askedMs = 0;
      for (let failures = 1; askedMs < outageMs; failures += 1) askedMs += retryDelayMs({ failures, jitter });
      expect(askedMs - outageMs).toBeLessThanOrEqual(30_000);
    }
  }
});

test.each([
  ['gldt', 'token_is_deploy_token'],
  ['glcbt', 'token_is_job_token'],
  ['glrt', 'token_is_runner_token'],
  ['glptt', 'token_is_trigger_token'],
  ['glpat', null],
  ['', null],
])('the prefix %j means %j, also after a prefix of the instance', (prefix, kind) => {
  const body = 'x'.repeat(20);
  expect(wrongKindByPrefix(`${prefix}-${body}`)).toBe(kind);
  expect(wrongKindByPrefix(`acme-${prefix}-${body}`)).toBe(kind);
});

test('paused hides the verdict, and nothing is cloned while paused, removed, suspected, unreachable or not active', () => {
  const row = {
    verdict: 'active',
    paused: false,
    removedAt: null,
    reachability: 'reachable',
    suspectedAt: null,
  } as const;
  expect(statusOf(row)).toBe('active');
  expect(statusOf({ ...row, paused: true })).toBe('paused');
  expect(mayClone(row)).toBe(true);
  for (const change of [
    { paused: true },
    { removedAt: new Date() },
    { suspectedAt: new Date() },
    { reachability: 'unreachable' as const },
    { verdict: 'invalid' as const },
    { verdict: 'pending' as const },
  ]) {
    expect(mayClone({ ...row, ...change })).toBe(false);
  }
});
