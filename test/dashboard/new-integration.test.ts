import { afterEach, beforeEach, expect, jest, test } from '@jest/globals';
import { parseLines, verdictText } from '../../dashboard/src/pages/integrations/new/dry-run-text.ts';
import { createTestScheduler } from '../../dashboard/src/pages/integrations/new/test-scheduler.ts';
import { findTokenFault } from '../../dashboard/src/pages/integrations/new/token-format.ts';
import { DRY_RUN_CAUSES } from '../../src/domain/dry-run-causes.ts';
import { wrongKindByPrefix } from '../../src/domain/verification.ts';

beforeEach(() => void jest.useFakeTimers());
afterEach(() => void jest.useRealTimers());

function plan({ answersHere = (): boolean => false } = {}) {
  const signals: AbortSignal[] = [];
  return {
    signals,
    ...createTestScheduler({
      answersHere,
      run: (signal) => void signals.push(signal),
      nowMs: () => Date.now(),
    }),
  };
}

test('no request for each key stroke: one, after a pause', () => {
  const { typed, left, signals } = plan();
  for (let key = 0; key < 20; key += 1) {
    typed();
    jest.advanceTimersByTime(100);
  }
  expect(signals).toHaveLength(0);
  jest.advanceTimersByTime(800);
  expect(signals).toHaveLength(1);
  left();
  jest.advanceTimersByTime(10_000);
  expect(signals).toHaveLength(1);
});

test('requests are two seconds apart, and the one before is ended', () => {
  const { pasted, signals } = plan();
  pasted();
  jest.advanceTimersByTime(0);
  expect(signals).toHaveLength(1);
  pasted();
  expect(signals[0]?.aborted).toBe(true);
  jest.advanceTimersByTime(1_900);
  expect(signals).toHaveLength(1);
  jest.advanceTimersByTime(200);
  expect(signals).toHaveLength(2);
});

test('what is answered on the page asks nobody, and costs no wait', () => {
  let isKnown = true;
  const { pasted, signals } = plan({ answersHere: () => isKnown });
  pasted();
  jest.advanceTimersByTime(5_000);
  expect(signals).toHaveLength(0);
  isKnown = false;
  pasted();
  jest.advanceTimersByTime(0);
  expect(signals).toHaveLength(1);
});

test('the page knows the wrong kinds of tokens that the server knows, by the same words', () => {
  const prefixes = ['gldt', 'glcbt', 'glrt', 'glrtr', 'glptt', 'glft', 'glimt', 'glagent', 'glwt', 'glsoat'];
  for (const prefix of [...prefixes, 'glffct', 'gloas', 'acme-gldt']) {
    const token = `${prefix}-${'x'.repeat(20)}`;
    const cause = wrongKindByPrefix(token);
    const kind = cause === null ? '' : DRY_RUN_CAUSES[cause].advice.split(',')[0];
    expect(findTokenFault(token)?.title).toBe(`${kind}. It cannot call the API.`);
  }
  expect(findTokenFault(`glpat-${'x'.repeat(20)}`)).toBeNull();
  expect(findTokenFault('word-without-any-prefix')).toBeNull();
});

test('a text that is no token is told so before anybody is asked', () => {
  expect(findTokenFault('Bearer glpat-x')?.title).toContain('Bearer');
  expect(findTokenFault('glpat x')?.title).toBe('This is not a token');
});

test('success says what can be checked', () => {
  const token = { expiry: { daysLeft: 69 } };
  const reach = { groups: 3, projects: 42 };
  expect(verdictText({ verdict: 'usable', cause: null, reach, token })).toBe(
    'Usable: 42 projects in 3 groups, 69 days left',
  );
  expect(
    verdictText({ verdict: 'usable', cause: null, reach: { groups: null, projects: null }, token: null }),
  ).toBe('Usable: more than 10,000 projects');
  expect(verdictText({ verdict: 'unusable', cause: 'token_rejected', reach: null, token: null })).toBe(
    'Not usable: unknown token',
  );
});

test('patterns are lines, each once', () => {
  expect(parseLines(' a/* \n\na/*\nb')).toEqual(['a/*', 'b']);
});
