import { expect, test } from '@jest/globals';
import type { EventKind } from '../../dashboard/src/api/types.ts';
import { EVENT_HUES } from '../../dashboard/src/pages/integrations/event-hues.ts';
import { dateInDays, defaultNewExpiry } from '../../dashboard/src/pages/integrations/rotation.ts';
import { scanProgress } from '../../dashboard/src/pages/integrations/scan-progress.ts';
import { changesText, syncRunLabel } from '../../dashboard/src/pages/integrations/sync-labels.ts';
import { groupEvents, withEvent } from '../../dashboard/src/pages/integrations/timeline.ts';

const event = (id: string, kind: EventKind, actor = 'system') => ({ id, kind, actor, at: '', text: id });

test('consecutive events of one kind form one entry, newest first', () => {
  const events = [
    event('evt_4', 'scan.finished'),
    event('evt_3', 'scan.finished'),
    event('evt_2', 'sync.finished'),
    event('evt_1', 'scan.finished'),
  ];
  expect(groupEvents(events).map(({ head, rest }) => [head.id, rest.map(({ id }) => id)])).toEqual([
    ['evt_4', ['evt_3']],
    ['evt_2', []],
    ['evt_1', []],
  ]);
});

test('a repeated event is shown once, and a live-only event is not added', () => {
  const events = [event('evt_1', 'sync.finished')];
  expect(withEvent(events, event('evt_1', 'sync.finished'))).toBe(events);
  expect(withEvent(events, event('', 'scan.finished'))).toBe(events);
  expect(withEvent(events, event('evt_2', 'sync.failed')).map(({ id }) => id)).toEqual(['evt_2', 'evt_1']);
});

test('events that report a problem are red', () => {
  const bad = Object.entries(EVENT_HUES)
    .filter(([, hue]) => hue === 'bad')
    .map(([kind]) => kind);
  expect(bad).toEqual(
    expect.arrayContaining([
      'integration.invalid',
      'integration.rotation_lost',
      'sync.failed',
      'scan.failed',
    ]),
  );
  expect(bad).not.toContain('integration.verified');
});

test('progress never reads as finished while a scan runs', () => {
  const counts = { scanned: 24, neverScanned: 0 };
  expect(scanProgress({ scans: { queued: 0, running: 0 }, counts })).toBeNull();
  expect(scanProgress({ scans: { queued: 0, running: 1 }, counts })).toMatchObject({ done: 23, all: 24 });
  const none = { scanned: 0, neverScanned: 0 };
  expect(scanProgress({ scans: { queued: 2, running: 1 }, counts: none })).toMatchObject({ done: 0, all: 3 });
});

test('a new token gets the lifetime of the old one, at most 365 days', () => {
  const nowMs = Date.parse('2026-11-23T22:00:00Z');
  expect(defaultNewExpiry({ createdAt: '2026-10-01T12:00:00Z', expiresAt: '2026-12-30' }, nowMs)).toBe(
    '2027-02-21',
  );
  expect(defaultNewExpiry({ createdAt: null, expiresAt: '2026-12-30' }, nowMs)).toBe('2027-11-23');
  expect(defaultNewExpiry(null, nowMs)).toBe(dateInDays(nowMs, 365));
});

test('only a complete sync reads as complete', () => {
  const run = { state: 'done' as const, cause: null, complete: true, listed: 30, added: 3, renamed: 0 };
  const rest = { excluded: 0, missing: 1, returned: 0, removed: 0, queuedScans: 3 };
  expect(syncRunLabel({ ...run, ...rest }).text).toBe('Complete');
  expect(syncRunLabel({ ...run, ...rest, complete: false }).text).toBe('Incomplete: nothing removed');
  expect(changesText({ ...run, ...rest })).toBe('3 added, 1 missing, 3 scans queued');
});
