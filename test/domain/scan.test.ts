import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { SCAN_CAUSES } from '../../src/domain/causes.ts';
import type { ScannerStatus } from '../../src/domain/scan.ts';
import { outcomeOf, SCAN_PRIORITY, SCANNER_STATUSES } from '../../src/domain/scan.ts';

const ran = (status: ScannerStatus, findings = 0) => ({ status, findings, cause: null });

test.each([
  ['all applicable scanners ended ok', [ran('ok'), ran('not_applicable'), ran('off')], 'clean'],
  ['something was found', [ran('ok', 2), ran('ok')], 'findings'],
  ['something was found and a scanner is missing', [ran('ok', 1), ran('unavailable')], 'findings'],
  ['nothing was found and a scanner is missing', [ran('ok'), ran('unavailable')], 'incomplete'],
  ['no scanner ran', [], 'incomplete'],
  ['no scanner applies', [ran('not_applicable')], 'clean'],
] as const)('the outcome when %s', (_what, runs, outcome) => {
  expect(outcomeOf(runs)).toEqual({ status: 'succeeded', outcome });
});

test('one failed scanner fails the scan with its cause, whatever the others found', () => {
  expect(outcomeOf([ran('ok', 5), { status: 'failed', findings: 0, cause: 'scan_timed_out' }])).toEqual({
    status: 'failed',
    cause: 'scan_timed_out',
  });
  expect(outcomeOf([{ status: 'failed', findings: 0, cause: null }])).toEqual({
    status: 'failed',
    cause: 'scanner_crashed',
  });
});

test('a scan is clean only if every scanner is ok or does not apply', () => {
  const run = fc.record({
    status: fc.constantFrom(...SCANNER_STATUSES),
    findings: fc.nat(3),
    cause: fc.constantFrom(null, ...SCAN_CAUSES),
  });
  fc.assert(
    fc.property(fc.array(run, { maxLength: 5 }), (runs) => {
      const result = outcomeOf(runs);
      if (result.status === 'failed') return;
      if (result.outcome !== 'clean') return;
      expect(runs.length).toBeGreaterThan(0);
      for (const { status, findings } of runs) {
        expect(findings).toBe(0);
        expect(['ok', 'not_applicable', 'off']).toContain(status);
      }
    }),
  );
});

test('requests run first, then hooks, new commits, first scans, scheduled checks, histories, and scans for new rules', () => {
  const order = Object.entries(SCAN_PRIORITY).toSorted(([, a], [, b]) => a - b);
  expect(order.map(([trigger]) => trigger)).toEqual([
    'manual',
    'hook',
    'sync',
    'created',
    'schedule',
    'history',
    'rules',
  ]);
});
