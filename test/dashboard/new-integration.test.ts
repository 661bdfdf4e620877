import { afterEach, beforeEach, expect, jest, test } from '@jest/globals';
import { parseLines, verdictText } from '../../dashboard/src/pages/integrations/new/dry-run-text.ts';
import { createTestScheduler } from '../../dashboard/src/pages/integrations/new/test-scheduler.ts';
import { findTokenFault } from '../../dashboard/src/pages/integrations/new/token-format.ts';
import { DRY_RUN_CAUSES } from '../../src/domain/dry-run-causes.ts';
import { wrongKindByPrefix } from '../../src/domain/verification.ts';

beforeEach(() => void jest.useFakeTimers());
afterEach(() => void jest.useRealTimers());

function plan({ checkLocally = (): boolean => false } = {}) {
  const signals: AbortSignal[] = [];
  return {
    signals,
    ...createTestScheduler({
      checkLocally,
      run: (signal) => void signals.push(signal),
      nowMs: () => Date.now(),
    }),
  };
}

test('typing causes one request after a pause, not one per key stroke', () => {
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

test('requests are two seconds apart, and a new one aborts the previous one', () => {
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

test('a local check causes no request and no delay', () => {
  let isLocal = true;
  const { pasted, signals } = plan({ checkLocally: () => isLocal });
  pasted();
  jest.advanceTimersByTime(5_000);
  expect(signals).toHaveLength(0);
  isLocal = false;
  pasted();
  jest.advanceTimersByTime(0);
  expect(signals).toHaveLength(1);
});

test('the page and the server name the same unsupported token kinds', () => {
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

test('text that is not a token is rejected without a request', () => {
  expect(findTokenFault('Bearer glpat-x')?.title).toContain('Bearer');
  expect(findTokenFault('glpat x')?.title).toBe('This is not a token');
});

test('a verdict names the projects and the days left', () => {
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

test('patterns are read line by line without duplicates', () => {
  expect(parseLines(' a/* \n\na/*\nb')).toEqual(['a/*', 'b']);
});
