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

test('open findings are shown unless the address says otherwise, and unknown values fall away', () => {
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

test('a file is asked for with the query of the list', () => {
  const query = toApiQuery({ severity: 'high,critical', q: 'a&b=c d' });
  expect(exportHref(query, 'csv')).toBe(
    '/api/v1/findings.csv?status=open&severity=critical%2Chigh&q=a%26b%3Dc+d',
  );
});

test('what is chosen stands in the address in one order, and the default does not stand there', () => {
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

test('open details do not count as a filter to clear', () => {
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

test('what a scan found is counted once, whether it names each finding or only how many', () => {
  const opened = event('finding.opened', { findingId: 'fnd_1', severity: 'high', scanId: 'scn_1' });
  const ended = (scanId: string) => event('scan.finished', { scanId, opened: 1 });
  expect(counted({ status: 'open' }, opened, ended('scn_1'))).toBe(1);
  expect(counted({ status: 'open' }, ended('scn_1'), opened)).toBe(1);
  expect(counted({ status: 'open' }, ended('scn_2'))).toBe(1);
  expect(counted({ status: 'open' }, opened, ended('scn_2'))).toBe(2);
});

test('what the filter leaves out is not announced as new', () => {
  const opened = event('finding.opened', { findingId: 'fnd_1', severity: 'high', scanId: 'scn_1' });
  expect(counted({ status: 'ignored' }, opened)).toBe(0);
  expect(counted({ status: 'open', severity: 'critical,low' }, opened)).toBe(0);
  expect(counted({ status: 'open', repositoryId: 'rep_2' }, opened)).toBe(0);
  expect(counted({ status: 'open', integrationId: 'int_1', severity: 'high' }, opened)).toBe(1);
  // its summary must not bring it in by the back door
  const ended = event('scan.finished', { scanId: 'scn_1', opened: 1 });
  expect(counted({ status: 'open', severity: 'low' }, opened, ended)).toBe(0);
});

test('what is fixed or triaged adds nothing', () => {
  expect(counted({ status: 'open' }, event('finding.fixed', { scanId: 'scn_1' }))).toBe(0);
  expect(counted({ status: 'open' }, event('finding.triaged', { findingId: 'fnd_1' }))).toBe(0);
});

test('a status says why and how long, a place says its lines, an actor is named plainly', () => {
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
