import { expect, test } from '@jest/globals';
import type { LiveEvent } from '../../dashboard/src/live/live-event.ts';
import {
  exportHref,
  facetValues,
  isNarrowed,
  toApiQuery,
  withFacet,
  without,
} from '../../dashboard/src/pages/findings/filters.ts';
import { actorText, locationText, statusLabel } from '../../dashboard/src/pages/findings/finding-labels.ts';
import { countEvent, NO_NEW_FINDINGS, totalNew } from '../../dashboard/src/pages/findings/new-findings.ts';

test('the query defaults to open findings and drops unknown values', () => {
  expect(toApiQuery({})).toEqual({ status: 'open' });
  expect(
    toApiQuery({ status: 'nonsense', severity: 'high,worst,critical', q: 'x', finding: 'fnd_1' }),
  ).toEqual({
    status: 'open',
    severity: 'critical,high',
    q: 'x',
  });
  expect(toApiQuery({ integration: 'int_1', repository: 'rep_1', kind: 'config,code' })).toEqual({
    status: 'open',
    kind: 'code,config',
    integrationId: 'int_1',
    repositoryId: 'rep_1',
  });
});

test('an export uses the query of the list', () => {
  const query = toApiQuery({ severity: 'high,critical', q: 'a&b=c d' });
  expect(exportHref(query, 'csv')).toBe(
    '/api/v1/findings.csv?status=open&severity=critical%2Chigh&q=a%26b%3Dc+d',
  );
});

test('facet values are kept in a fixed order, and defaults are left out of the address', () => {
  const one = withFacet({ finding: 'fnd_1' }, 'severity', ['high']);
  expect(one).toEqual({ finding: 'fnd_1', severity: 'high' });
  expect(withFacet(one, 'severity', ['high', 'critical'])).toEqual({
    finding: 'fnd_1',
    severity: 'critical,high',
  });
  expect(withFacet(one, 'severity', [])).toEqual({ finding: 'fnd_1' });
  expect(withFacet({}, 'status', ['ignored', 'open'])).toEqual({ status: 'open,ignored' });
  expect(withFacet({ status: 'ignored' }, 'status', ['open'])).toEqual({});
  expect(withFacet({ status: 'ignored' }, 'status', [])).toEqual({});
  expect(facetValues({ status: 'ignored' }, 'status')).toEqual(['ignored']);
});

test('an open finding does not count as a filter', () => {
  expect(isNarrowed({ finding: 'fnd_1' })).toBe(false);
  expect(isNarrowed({ finding: 'fnd_1', q: 'x' })).toBe(true);
  expect(without({ finding: 'fnd_1', q: 'x' }, ['finding'])).toEqual({ q: 'x' });
});

const event = (kind: string, data: Record<string, unknown>): LiveEvent => ({
  at: '2026-11-24T09:00:00.000Z',
  kind,
  integrationId: 'int_1',
  repositoryId: 'rep_1',
  data,
});
const counted = (query: Parameters<typeof countEvent>[2], ...events: LiveEvent[]) =>
  totalNew(events.reduce((since, each) => countEvent(since, each, query), NO_NEW_FINDINGS));

test('new findings of a scan are counted once, whether events name them or only their number', () => {
  const opened = event('finding.opened', { findingId: 'fnd_1', severity: 'high', scanId: 'scn_1' });
  const ended = (scanId: string) => event('scan.finished', { scanId, opened: 1 });
  expect(counted({ status: 'open' }, opened, ended('scn_1'))).toBe(1);
  expect(counted({ status: 'open' }, ended('scn_1'), opened)).toBe(1);
  expect(counted({ status: 'open' }, ended('scn_2'))).toBe(1);
  expect(counted({ status: 'open' }, opened, ended('scn_2'))).toBe(2);
});

test('findings outside the filter are not counted as new', () => {
  const opened = event('finding.opened', { findingId: 'fnd_1', severity: 'high', scanId: 'scn_1' });
  expect(counted({ status: 'ignored' }, opened)).toBe(0);
  expect(counted({ status: 'open', severity: 'critical,low' }, opened)).toBe(0);
  expect(counted({ status: 'open', repositoryId: 'rep_2' }, opened)).toBe(0);
  expect(counted({ status: 'open', integrationId: 'int_1', severity: 'high' }, opened)).toBe(1);
  // the summary of the scan must not count it either
  const ended = event('scan.finished', { scanId: 'scn_1', opened: 1 });
  expect(counted({ status: 'open', severity: 'low' }, opened, ended)).toBe(0);
});

test('fixed and triaged findings are not counted as new', () => {
  expect(counted({ status: 'open' }, event('finding.fixed', { scanId: 'scn_1' }))).toBe(0);
  expect(counted({ status: 'open' }, event('finding.triaged', { findingId: 'fnd_1' }))).toBe(0);
});

test('labels show reason and end date, line range and actor', () => {
  const triage = { reason: 'false_positive' as const, until: '2027-01-01' };
  expect(statusLabel({ status: 'ignored', triage }).text).toBe('Ignored: false positive until 2027-01-01');
  expect(statusLabel({ status: 'ignored', triage: { ...triage, until: null } }).text).toBe(
    'Ignored: false positive',
  );
  expect(statusLabel({ status: 'fixed', triage: null }).text).toBe('Fixed: no longer found');
  expect(locationText({ path: 'a.ts', startLine: 3, endLine: 3 })).toBe('a.ts:3');
  expect(locationText({ path: 'a.ts', startLine: 3, endLine: 9 })).toBe('a.ts:3-9');
  expect([actorText('user:ada'), actorText('key:ci'), actorText('system')]).toEqual([
    'ada',
    'key ci',
    'system',
  ]);
});
