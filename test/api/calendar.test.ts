import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import ICAL from 'ical.js';
import { calendarFeed } from '../../src/api/calendar/feed.ts';
import { hashOfApiKey } from '../../src/api/middleware/authenticate.ts';
import type { TestApi } from '../support/api.ts';
import { startApi } from '../support/api.ts';
import { addIntegration } from '../support/integration.ts';
import type { TestWorld } from '../support/world.ts';
import { createTestWorld } from '../support/world.ts';

const TOKEN = {
  integrationId: 'int_01JG0000000000000000000000',
  name: 'Shop',
  expiresOn: '2028-03-01',
  repositories: 12,
  since: new Date('2027-03-02T10:00:00Z'),
};
const thresholds = [60, 30, 14, 7, 3, 1];
const feed = (own: Partial<Parameters<typeof calendarFeed>[0]> = {}) =>
  calendarFeed({
    tokens: [TOKEN],
    thresholds,
    now: new Date('2027-06-01T12:00:00Z'),
    host: 'secu.example.com',
    ...own,
  });

/** As a calendar reads it. */
function parsed(text: string) {
  const calendar = new ICAL.Component(ICAL.parse(text));
  const events = calendar.getAllSubcomponents('vevent').map((each) => {
    const event = new ICAL.Event(each);
    return {
      uid: event.uid,
      summary: event.summary,
      description: event.description,
      start: event.startDate.toString(),
      end: event.endDate.toString(),
      allDay: event.startDate.isDate,
      stamp: String(each.getFirstPropertyValue('dtstamp')),
      free: each.getFirstPropertyValue('transp'),
    };
  });
  return { calendar, events };
}

describe('the calendar', () => {
  test('has an all-day UTC event for each coming flag and for the expiry, across a leap day', () => {
    const { calendar, events } = parsed(feed());
    expect(calendar.getFirstPropertyValue('version')).toBe('2.0');
    expect(calendar.getFirstPropertyValue('method')).toBe('PUBLISH');
    expect(events.map(({ start }) => start).sort()).toEqual([
      '2028-01-01',
      '2028-01-31',
      '2028-02-16',
      '2028-02-23',
      '2028-02-27',
      '2028-02-29',
      '2028-03-01',
    ]);
    expect(events.find(({ start }) => start === '2028-02-29')).toEqual({
      uid: 'int_01JG0000000000000000000000-1@secu.example.com',
      summary: 'Shop: the token has 1 day left',
      description: expect.stringContaining('12 repositories are no longer scanned'),
      start: '2028-02-29',
      end: '2028-03-01',
      allDay: true,
      stamp: '2027-03-02T10:00:00Z',
      free: 'TRANSPARENT',
    });
  });

  test('omits past flags and keeps the expiry', () => {
    const at = (now: string) =>
      parsed(feed({ now: new Date(now) }))
        .events.map(({ start }) => start)
        .sort();
    expect(at('2028-02-27T23:59:00Z')).toEqual(['2028-02-27', '2028-02-29', '2028-03-01']);
    expect(at('2028-02-28T00:00:00Z')).toEqual(['2028-02-29', '2028-03-01']);
    expect(at('2028-05-01T00:00:00Z')).toEqual(['2028-03-01']);
  });

  test('keeps event ids when a token is replaced: days move, none is duplicated', () => {
    const uids = (text: string) => parsed(text).events.map(({ uid }) => uid);
    const moved = feed({
      tokens: [{ ...TOKEN, expiresOn: '2028-09-01', since: new Date('2028-02-20T00:00:00Z') }],
    });
    expect(uids(moved)).toEqual(uids(feed()));
    expect(uids(feed()).length).toBe(new Set(uids(feed())).size);
  });

  test('is byte-identical until something changes, so that caches work', () => {
    expect(feed()).toBe(feed({ now: new Date('2027-06-02T09:00:00Z') }));
  });

  test('escapes and folds any name so that a parser reads it back unchanged', () => {
    const name = `Käse; "a, b" \\ ${'日本語'.repeat(12)} 🧀🧀 ${'x'.repeat(30)}`;
    const text = feed({ tokens: [{ ...TOKEN, name }] });
    for (const line of text.split('\r\n')) expect(Buffer.byteLength(line)).toBeLessThanOrEqual(75);
    expect(text.replaceAll('\r\n', '')).not.toMatch(/[\r\n]/);
    expect(parsed(text).events.at(-1)?.summary).toBe(`${name}: the token has expired`);
    const hostile = feed({ tokens: [{ ...TOKEN, name: 'x\r\nEND:VEVENT\r\nBEGIN:VALARM\u202e' }] });
    expect(parsed(hostile).events).toHaveLength(7);
    expect(hostile).not.toMatch(/^BEGIN:VALARM/m);
  });

  test('without tokens is a calendar without events', () => {
    expect(parsed(feed({ tokens: [] })).events).toEqual([]);
  });
});

describe('the calendar URL', () => {
  let world: TestWorld;
  let api: TestApi;
  let value: string;
  let keyId: string;

  beforeAll(async () => {
    world = await createTestWorld({ simulator: { recipes: [] } });
    api = await startApi(world);
    const { token } = world.simulator.control.createToken({});
    const { credentialId } = await addIntegration(world, { token, name: 'Shop', wake: false });
    const expiresOn = new Date(Date.now() + 10 * 86_400_000).toISOString().slice(0, 10);
    await world.database.stores.credentials.setExpiry({ id: credentialId, expiresOn });
    const created = await api.call('POST api-keys', { json: { name: 'my calendar', role: 'calendar' } });
    value = created.body.value;
    keyId = created.body.id;
  });
  afterAll(() => world.close());

  const get = (query: string, headers: Record<string, string> = {}) =>
    api.call(`GET expiry.ics${query}`, { as: null, headers });

  test('accepts a calendar key, recognizable by its prefix, and answers a calendar', async () => {
    expect(value).toMatch(/^secu_cal_[\w-]{43}$/);
    const answer = await get(`?key=${value}`);
    expect([answer.status, answer.headers.get('Content-Type')]).toEqual([
      200,
      'text/calendar; charset=utf-8',
    ]);
    // 10 days left: flags at 7, 3, 1 and the end
    expect(parsed(answer.text).events).toHaveLength(4);
    expect(answer.text).not.toContain(value);
    expect(await (await fetch(`${api.url}/expiry.ics?key=${value}`)).text()).toBe(answer.text);
  });

  test('answers 304 when unchanged, and shared caches may not store it', async () => {
    const answer = await get(`?key=${value}`);
    expect(answer.headers.get('Cache-Control')).toMatch(/^private, max-age=\d+$/);
    const etag = answer.headers.get('ETag') ?? '';
    const again = await get(`?key=${value}`, { 'If-None-Match': etag });
    expect([again.status, again.text]).toEqual([304, '']);
    expect((await get(`?key=${value}`, { 'If-None-Match': '"other"' })).status).toBe(200);
  });

  test('ignores parameters that calendar clients add', async () => {
    const answer = await api.call(`GET /expiry.ics?key=${value}&nocache=1&_=2`, { as: null });
    expect(answer.status).toBe(200);
    expect(answer.headers.get('Content-Type')).toContain('text/calendar');
  });

  test('refuses a missing key, a wrong key and keys with more rights', async () => {
    expect((await get('')).status).toBe(401);
    expect((await get('?key=')).status).toBe(401);
    expect((await get(`?key=secu_cal_${'x'.repeat(43)}`)).status).toBe(401);
    for (const role of ['metrics', 'viewer', 'operator', 'admin'] as const)
      expect([role, (await get(`?key=${api.keys[role]}`)).status]).toEqual([role, 403]);
  });

  test('the calendar key grants nothing else, neither in a URL nor in a header', async () => {
    expect((await get(`/../overview?key=${value}`)).status).toBe(401);
    const headers = { Authorization: `Bearer ${value}` };
    for (const path of ['overview', 'integrations', 'events', '/metrics'] as const)
      expect([path, (await api.call(`GET ${path}`, { as: null, headers })).status]).toEqual([path, 403]);
  });

  test('the key appears in no log, and deleting it takes effect at once', async () => {
    await get(`?key=${value}`);
    expect(world.logged.join('')).not.toContain(value);
    expect(world.logged.join('')).toContain('/api/v1/expiry.ics');
    await api.call(`DELETE api-keys/${keyId}`);
    expect((await get(`?key=${value}`)).status).toBe(401);
    expect(await world.db.query('select 1 from api_key where hash = $1', [hashOfApiKey(value)])).toHaveLength(
      1,
    );
  });
});
