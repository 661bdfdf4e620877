import { expect, test } from '@jest/globals';
import {
  repositoryLabel,
  scanBlockReason,
  scanLabel,
  shortRules,
  skippedText,
} from '../../dashboard/src/format/scan-labels.ts';
import { scanPhases } from '../../dashboard/src/format/scan-phases.ts';

type ScanState = Parameters<typeof scanLabel>[0];
type RepositoryFacts = Parameters<typeof repositoryLabel>[0];

const COMMIT = '9f3c1ab0000000000000000000000000000000ff';
const scan = (change: Partial<ScanState> = {}): ScanState => ({
  status: 'succeeded',
  phase: null,
  outcome: 'clean',
  cause: null,
  commit: COMMIT,
  ...change,
});
const NONE = { open: 0, critical: 0, high: 0, medium: 0, low: 0 };
const repository = (change: Partial<RepositoryFacts> = {}): RepositoryFacts => ({
  state: 'active',
  excludedBecause: null,
  lastScan: scan(),
  counts: NONE,
  ...change,
});

test('only a clean outcome reads "Clean"', () => {
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

test('the label of a scan shows its phase, its cause or the number of findings', () => {
  expect(scanLabel(scan({ status: 'running', phase: 'cloning', outcome: null }), 0).text).toBe('Cloning');
  expect(scanLabel(scan({ status: 'failed', cause: 'clone_too_large' }), 0).text).toBe(
    'Failed: repository too large',
  );
  expect(scanLabel(scan({ outcome: 'findings' }), 1).text).toBe('1 finding');
});

test('a repository that was not scanned completely never reads "Clean"', () => {
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

test('open findings in history take precedence over a clean head, in the colour of the worst severity', () => {
  const counts = { ...NONE, open: 3, high: 1, low: 2 };
  expect(repositoryLabel(repository({ counts }))).toEqual({ text: '3 findings', hue: 'high' });
  const ignored = repository({ lastScan: scan({ outcome: 'findings' }) });
  expect(repositoryLabel(ignored).text).toBe('No open findings');
});

test('a repository that cannot be scanned shows the reason', () => {
  expect(scanBlockReason(repository())).toBeNull();
  expect(scanBlockReason(repository({ state: 'excluded', excludedBecause: 'pending_deletion' }))).toContain(
    'pending deletion',
  );
});

type PhaseFacts = Parameters<typeof scanPhases>[0];
const AT = (seconds: number) => new Date(Date.UTC(2026, 0, 1, 0, 0, seconds)).toISOString();
const phases = (change: Partial<PhaseFacts>, nowSeconds = 20) =>
  scanPhases(
    {
      status: 'running',
      phase: 'scanning',
      queuedAt: AT(0),
      startedAt: AT(2),
      finishedAt: null,
      cloneMs: 3_000,
      ...change,
    },
    Date.parse(AT(nowSeconds)),
  ).map(({ state, ms }) => (ms === null ? state : `${state} ${ms / 1_000}`));

test('phases show their state and the time spent so far', () => {
  const queued = { status: 'queued', phase: null, startedAt: null, cloneMs: null } as const;
  expect(phases(queued)).toEqual(['active 20', 'pending', 'pending', 'pending']);
  expect(phases({ phase: 'cloning', cloneMs: null })).toEqual(['done 2', 'active 18', 'pending', 'pending']);
  expect(phases({})).toEqual(['done 2', 'done 3', 'active 15', 'pending']);
  expect(phases({ status: 'succeeded', phase: null, finishedAt: AT(10) })).toEqual([
    'done 2',
    'done 3',
    'done 5',
    'done',
  ]);
});

test('a failed or canceled scan shows the phase in which it stopped', () => {
  const failed = { status: 'failed', phase: null, finishedAt: AT(10) } as const;
  expect(phases({ ...failed, cloneMs: null })).toEqual(['done 2', 'stopped', 'unreached', 'unreached']);
  expect(phases(failed)).toEqual(['done 2', 'done 3', 'stopped 5', 'unreached']);
  expect(phases({ ...failed, status: 'canceled', startedAt: null, cloneMs: null })).toEqual([
    'stopped 10',
    'unreached',
    'unreached',
    'unreached',
  ]);
});

test('rule sets are shown by eight characters, skipped files by reason', () => {
  expect(shortRules('sha256:0123456789abcdef')).toBe('01234567');
  expect(shortRules(null)).toBe('–');
  expect(
    skippedText([
      { reason: 'too_large', count: 1_200 },
      { reason: 'binary', count: 1 },
    ]),
  ).toBe('1,200 too large, 1 binary');
});
