import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { INVALID_CAUSES, REACHABILITY_CAUSES } from '../../src/domain/causes.ts';
import type { TokenFacts, VerificationOutcome } from '../../src/domain/integration.ts';
import { REACHABILITY_STATES, VERDICTS } from '../../src/domain/integration.ts';
import { expiryFrom } from '../../src/domain/token-expiry.ts';
import type { VerdictState } from '../../src/domain/verdict-change.ts';
import { verdictChange } from '../../src/domain/verdict-change.ts';

const HOUR_MS = 3_600_000;
const TOKEN: TokenFacts = {
  gitlabTokenId: 17,
  name: 'secu',
  scopes: ['read_api'],
  granular: false,
  mayRotate: false,
  expiry: expiryFrom(null),
  createdAt: null,
  lastUsedAt: null,
  owner: { username: 'bot', kind: 'service_account' },
};
const GOOD: VerificationOutcome = { verdict: 'active', token: TOKEN, warnings: [] };
const ACTIVE: VerdictState = {
  verdict: 'active',
  cause: null,
  reachability: 'reachable',
  reachabilityCause: null,
  suspected: false,
  verifyFailures: 0,
};
const PENDING: VerdictState = { ...ACTIVE, verdict: 'pending', reachability: 'unknown' };

const no = (cause: (typeof INVALID_CAUSES)[number]): VerificationOutcome => ({
  verdict: 'invalid',
  cause,
  token: null,
});
const unavailable = (cause: (typeof REACHABILITY_CAUSES)[number]): VerificationOutcome => ({
  verdict: 'none',
  cause,
});

function changeOf(before: VerdictState, outcome: VerificationOutcome, jitter = 0.5) {
  return verdictChange({ before, outcome, intervalMs: 6 * HOUR_MS, jitter });
}

describe('a definite "no"', () => {
  test('after a lost rotation, a refusal of the old token changes nothing; another cause or a success does', () => {
    const lost: VerdictState = { ...ACTIVE, verdict: 'invalid', cause: 'rotation_lost' };
    expect(changeOf(lost, no('token_revoked'))).toMatchObject({
      event: null,
      next: { cause: 'rotation_lost' },
    });
    expect(changeOf(lost, no('account_blocked')).next.cause).toBe('account_blocked');
    expect(changeOf(lost, GOOD)).toMatchObject({
      event: 'integration.verified',
      next: { verdict: 'active' },
    });
  });

  test.each(['token_expired', 'token_revoked', 'token_rejected'] as const)(
    '%s of an active token is a suspicion that a second verification decides',
    (cause) => {
      const first = changeOf(ACTIVE, no(cause));
      expect(first).toMatchObject({
        suspicion: true,
        event: null,
        next: { verdict: 'active', suspected: true },
      });
      expect(first.againInMs).toBeLessThan(60_000);
      expect(changeOf(first.next, no(cause))).toMatchObject({
        suspicion: false,
        event: 'integration.invalid',
        next: { verdict: 'invalid', cause, suspected: false },
      });
    },
  );

  test.each(INVALID_CAUSES)('%s makes a pending integration invalid at once', (cause) => {
    expect(changeOf(PENDING, no(cause))).toMatchObject({
      suspicion: false,
      event: 'integration.invalid',
      next: { verdict: 'invalid', cause },
    });
  });

  test('a new cause of an invalid integration is an event, the same cause is not', () => {
    const invalid = changeOf(PENDING, no('token_revoked')).next;
    expect(changeOf(invalid, no('token_revoked')).event).toBeNull();
    expect(changeOf(invalid, no('account_blocked')).event).toBe('integration.invalid');
  });

  test('not_gitlab is an outage if the integration worked before', () => {
    for (const before of [ACTIVE, { ...ACTIVE, verdict: 'invalid', cause: 'token_revoked' } as const])
      expect(changeOf(before, no('not_gitlab'))).toMatchObject({
        event: 'integration.unreachable',
        next: {
          verdict: before.verdict,
          cause: before.cause,
          reachability: 'unreachable',
          reachabilityCause: 'not_gitlab',
        },
      });
  });
});

describe('an outage', () => {
  const states = fc.record<VerdictState>({
    verdict: fc.constantFrom(...VERDICTS),
    cause: fc.constantFrom(null, ...INVALID_CAUSES),
    reachability: fc.constantFrom(...REACHABILITY_STATES),
    reachabilityCause: fc.constantFrom(null, ...REACHABILITY_CAUSES),
    suspected: fc.boolean(),
    verifyFailures: fc.nat(30),
  });

  test('changes neither verdict nor suspicion', () => {
    fc.assert(
      fc.property(states, fc.constantFrom(...REACHABILITY_CAUSES), (before, cause) => {
        const { next, token, warnings } = changeOf(before, unavailable(cause));
        expect(next).toEqual({
          ...before,
          reachability: 'unreachable',
          reachabilityCause: cause,
          verifyFailures: before.verifyFailures + 1,
        });
        expect([token, warnings]).toEqual([null, null]);
      }),
    );
  });

  test('is retried every 15 s at first, then with growing intervals up to ten minutes', () => {
    let state = ACTIVE;
    const waits: (number | null)[] = [];
    for (let round = 0; round < 12; round += 1) {
      const change = changeOf(state, unavailable('gitlab_unreachable'));
      waits.push(change.againInMs);
      state = change.next;
    }
    expect(waits).toEqual([15, 15, 15, 15, 15, 30, 60, 120, 240, 480, 600, 600].map((s) => s * 1_000));
  });

  test('is one event per cause', () => {
    const first = changeOf(ACTIVE, unavailable('gitlab_unreachable'));
    expect(first.event).toBe('integration.unreachable');
    expect(changeOf(first.next, unavailable('gitlab_unreachable')).event).toBeNull();
    expect(changeOf(first.next, unavailable('gitlab_tls_failed')).event).toBe('integration.unreachable');
  });
});

describe('a successful verification', () => {
  test.each([
    ['pending', PENDING, 'integration.verified'],
    ['invalid', { ...ACTIVE, verdict: 'invalid', cause: 'token_revoked' } as const, 'integration.verified'],
    ['unreachable', { ...ACTIVE, reachability: 'unreachable' } as const, 'integration.recovered'],
    ['suspected', { ...ACTIVE, suspected: true }, null],
    ['active', ACTIVE, null],
  ] as const)(
    'of an integration that was %s clears everything and is an event if something changed',
    (_state, before, event) => {
      expect(changeOf(before, GOOD)).toMatchObject({ event, next: ACTIVE, suspicion: false, token: TOKEN });
    },
  );

  test('is repeated after the interval, with a jitter of a tenth', () => {
    expect(changeOf(ACTIVE, GOOD, 0).againInMs).toBe(5.7 * HOUR_MS);
    expect(changeOf(ACTIVE, GOOD, 1).againInMs).toBe(6.3 * HOUR_MS);
    expect(verdictChange({ before: ACTIVE, outcome: GOOD, intervalMs: 0, jitter: 0.5 }).againInMs).toBeNull();
  });
});
