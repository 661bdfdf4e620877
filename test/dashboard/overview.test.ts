import { expect, test } from '@jest/globals';
import type { AttentionItem, AttentionKind } from '../../dashboard/src/api/types.ts';
import {
  attentionLabel,
  attentionSubject,
  sortByUrgency,
} from '../../dashboard/src/pages/overview/attention-items.ts';
import { buildExpiryCalendar } from '../../dashboard/src/pages/overview/calendar-months.ts';
import { freshnessText } from '../../dashboard/src/pages/overview/freshness-text.ts';

const item = (
  kind: AttentionKind,
  integrationId: string | null,
  rest: Partial<AttentionItem> = {},
): AttentionItem => ({
  kind,
  integrationId,
  repositoryId: null,
  since: '2026-11-23T00:00:00Z',
  cause: null,
  text: 'GitLab Labs: something.',
  ...rest,
});
const known = (id: string, daysLeft: number, flag: number | null) => ({
  id,
  name: `Name of ${id}`,
  cause: null,
  token: { expiresAt: '2026-12-02', expiry: { state: 'expiring', daysLeft, flag } },
});

test('problems are sorted by urgency, expiring tokens by days left', () => {
  const items = [
    item('no_channel', null),
    item('unreachable', 'a'),
    item('scan_failed', 'a', { repositoryId: 'r' }),
    item('brake_engaged', 'a'),
    item('expiring', 'late'),
    item('expiring', 'soon'),
    item('expired', 'a'),
    item('invalid', 'a', { cause: 'rotation_lost' }),
    item('invalid', 'a', { cause: 'token_expired' }),
  ];
  const ordered = sortByUrgency(items, [known('late', 13, 14), known('soon', 2, 3)]);
  expect(ordered.map(({ kind, integrationId, cause }) => cause ?? `${kind} ${integrationId}`)).toEqual([
    'token_expired',
    'rotation_lost',
    'expired a',
    'expiring soon',
    'expiring late',
    'brake_engaged a',
    'scan_failed a',
    'unreachable a',
    'no_channel null',
  ]);
});

test('each row shows the name and the problem in plain words', () => {
  const all = [known('int_1', 9, 14)];
  expect(attentionSubject(item('invalid', 'int_1'), all)).toBe('Name of int_1');
  expect(attentionSubject(item('invalid', 'int_2'), all)).toBe('GitLab Labs');
  expect(
    attentionSubject(item('scan_failed', 'int_1', { repositoryId: 'r', text: 'acme/shop: failed' }), all),
  ).toBe('acme/shop');
  expect(attentionLabel(item('invalid', 'int_1', { cause: 'token_expired' }), all).text).toBe(
    'Invalid: token expired',
  );
  expect(attentionLabel(item('expiring', 'int_1'), all)).toEqual({
    text: '9 days left, 2026-12-02',
    hue: 'warn',
  });
  const noChannel = item('no_channel', null, { text: 'Make a channel: POST /api/v1/channels.' });
  expect(attentionLabel(noChannel, all).text).not.toContain('/api');
});

test('tokens are grouped by month of expiry; expired, later, never and unknown have groups of their own', () => {
  const expiring = (integrationId: string, expiresAt: string, daysLeft: number) => ({
    integrationId,
    name: integrationId,
    expiresAt,
    daysLeft,
    repositories: 1,
  });
  const { months, others } = buildExpiryCalendar({
    nowMs: Date.parse('2026-11-28T23:59:00Z'),
    expiry: [
      expiring('old', '2026-11-20', 0),
      expiring('near', '2026-12-02', 4),
      expiring('far', '2027-11-02', 339),
    ],
    integrations: [
      known('near', 4, 7),
      { id: 'ever', name: 'ever', cause: null, token: { expiry: { state: 'never', flag: null } } },
      { id: 'new', name: 'new', cause: null, token: null },
    ],
  });
  expect(months).toHaveLength(12);
  expect(months.slice(0, 3).map(({ label }) => label)).toEqual(['Nov 2026', 'Dec', 'Jan 2027']);
  expect(months.flatMap(({ id, tokens, hue }) => tokens.map(({ when }) => [id, when, hue]))).toEqual([
    ['2026-12', '2026-12-02, 4 days left', 'bad'],
  ]);
  expect(others.map(({ id, tokens }) => [id, tokens.map((token) => token.integrationId)])).toEqual([
    ['expired', ['old']],
    ['later', ['far']],
    ['never', ['ever']],
    ['unknown', []],
  ]);
});

test('the calendar does not count down a revoked token', () => {
  const token = { integrationId: 'a', name: 'a', expiresAt: '2026-12-09', daysLeft: 11, repositories: 1 };
  const { months } = buildExpiryCalendar({
    nowMs: Date.parse('2026-11-28T00:00:00Z'),
    expiry: [token],
    integrations: [{ ...known('a', 11, 14), cause: 'token_revoked' }],
  });
  expect(months[1]?.tokens[0]?.when).toBe('2026-12-09, but token revoked');
});

test('freshness shows the scanned part and the total', () => {
  expect(freshnessText({ scanned24h: 1198, repositories: 1204 })).toBe(
    '1,198 of 1,204 scanned in the last 24 hours',
  );
  expect(freshnessText({ scanned24h: 0, repositories: 0 })).not.toContain('0 of 0');
});
