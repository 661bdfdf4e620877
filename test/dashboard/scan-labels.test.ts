import { expect, test } from '@jest/globals';
import {
  repositoryLabel,
  scanBlockReason,
  scanLabel,
  scanPhases,
  shortRules,
  skippedText,
} from '../../dashboard/src/format/scan-labels.ts';

const COMMIT = '9f3c1ab0000000000000000000000000000000ff';
const scan = (change: Partial<Parameters<typeof scanLabel>[0]> = {}) => ({
  status: 'succeeded',
  phase: null,
  outcome: 'clean' as string | null,
  cause: null,
  commit: COMMIT,
  ...change,
});
const NONE = { open: 0, critical: 0, high: 0, medium: 0, low: 0 };
const repository = (change: Partial<Parameters<typeof repositoryLabel>[0]> = {}) => ({
  state: 'active' as const,
  excludedBecause: null,
  lastScan: scan(),
  counts: NONE,
  ...change,
});

test('only a clean outcome reads clean', () => {
  expect(scanLabel(scan(), 0).text).toBe('Clean at 9f3c1ab');
  for (const each of [
    scan({ outcome: 'incomplete' }),
    scan({ status: 'failed', outcome: null, cause: 'scanner_crashed' }),
    scan({ status: 'canceled', outcome: null }),
    scan({ status: 'queued', outcome: null }),
    scan({ status: 'running', phase: 'storing', outcome: null }),
    scan({ outcome: 'findings' }),
    scan({ outcome: null }),
  ]) {
    expect(scanLabel(each, 0).text).not.toMatch(/clean/i);
    expect(scanLabel(each, 0).hue).not.toBe('ok');
  }
});

test('a scan says its phase, its cause and how much it found', () => {
  expect(scanLabel(scan({ status: 'running', phase: 'cloning', outcome: null }), 0).text).toBe('Cloning');
  expect(scanLabel(scan({ status: 'failed', cause: 'clone_too_large' }), 0).text).toBe(
    'Failed: larger than the limit',
  );
  expect(scanLabel(scan({ outcome: 'findings' }), 1).text).toBe('1 finding');
});

test('a repository that was not wholly looked at never reads clean', () => {
  expect(repositoryLabel(repository()).text).toBe('Clean at 9f3c1ab');
  const others = [
    repository({ lastScan: null }),
    repository({ lastScan: scan({ outcome: 'incomplete' }) }),
    repository({ lastScan: scan({ status: 'failed', cause: 'clone_failed' }) }),
    repository({ state: 'excluded', excludedBecause: 'archived' }),
    repository({ state: 'empty' }),
    repository({ state: 'missing' }),
    repository({ state: 'removed' }),
  ].map(repositoryLabel);
  expect(others.map(({ text }) => text)).toEqual([
    'Never scanned',
    'Incomplete',
    'Failed: clone failed',
    'Excluded: archived',
    'Empty',
    'Not listed',
    'Removed',
  ]);
  expect(others.map(({ hue }) => hue)).not.toContain('ok');
});

test('what is open in the past of a repository outweighs a clean head, in the colour of the worst', () => {
  const counts = { ...NONE, open: 3, high: 1, low: 2 };
  expect(repositoryLabel(repository({ counts }))).toEqual({ text: '3 findings', hue: 'high' });
  const ignored = repository({ lastScan: scan({ outcome: 'findings' }) });
  expect(repositoryLabel(ignored).text).toBe('Nothing open');
});

test('what cannot be scanned says why', () => {
  expect(scanBlockReason(repository())).toBeNull();
  expect(scanBlockReason(repository({ state: 'excluded', excludedBecause: 'pending_deletion' }))).toContain(
    'pending deletion',
  );
});

const AT = (seconds: number) => new Date(Date.UTC(2026, 0, 1, 0, 0, seconds)).toISOString();
const run = (change: object) => ({
  status: 'running',
  phase: 'scanning' as string | null,
  queuedAt: AT(0),
  startedAt: AT(2) as string | null,
  finishedAt: null as string | null,
  cloneMs: 3_000 as number | null,
  ...change,
});
const states = (change: object, nowSeconds = 20) =>
  scanPhases(run(change), Date.parse(AT(nowSeconds))).map(({ state, ms }) =>
    ms === null ? state : `${state} ${ms / 1_000}`,
  );

test('phases show what is done, what goes on and for how long, and no more', () => {
  const waiting = { status: 'queued', phase: null, startedAt: null, cloneMs: null };
  expect(states(waiting)).toEqual(['now 20', 'ahead', 'ahead', 'ahead']);
  expect(states({ phase: 'cloning', cloneMs: null })).toEqual(['done 2', 'now 18', 'ahead', 'ahead']);
  expect(states({})).toEqual(['done 2', 'done 3', 'now 15', 'ahead']);
  expect(states({ status: 'succeeded', phase: null, finishedAt: AT(10) })).toEqual([
    'done 2',
    'done 3',
    'done 5',
    'done',
  ]);
});

test('a scan that did not end well shows where it ended', () => {
  const failed = { status: 'failed', phase: null, finishedAt: AT(10) };
  expect(states({ ...failed, cloneMs: null })).toEqual(['done 2', 'stopped', 'unreached', 'unreached']);
  expect(states(failed)).toEqual(['done 2', 'done 3', 'stopped 5', 'unreached']);
  expect(states({ ...failed, status: 'canceled', startedAt: null, cloneMs: null })).toEqual([
    'stopped 10',
    'unreached',
    'unreached',
    'unreached',
  ]);
});

test('rules are told apart by eight characters, and what was skipped by its reason', () => {
  expect(shortRules('sha256:0123456789abcdef')).toBe('01234567');
  expect(shortRules(null)).toBe('–');
  expect(
    skippedText([
      { reason: 'too_large', count: 1_200 },
      { reason: 'binary', count: 1 },
    ]),
  ).toBe('1,200 too large, 1 binary');
});
