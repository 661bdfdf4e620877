import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { createApp, openApiDocument } from '../../src/api/app.ts';
import type { ApiKeyRole, UserRole } from '../../src/domain/user.ts';
import { USER_ROLES } from '../../src/domain/user.ts';
import type { TestApi } from '../support/api.ts';
import { startApi } from '../support/api.ts';
import type { TestWorld } from '../support/world.ts';
import { createTestWorld } from '../support/world.ts';

/** Who may do what, as the contract has it: a route that is not in this table fails the crawl. */
const NEEDS: Record<string, UserRole | 'calendar' | 'nobody'> = {
  'GET /api/v1/about': 'viewer',
  'GET /api/v1/api-keys': 'admin',
  'POST /api/v1/api-keys': 'admin',
  'DELETE /api/v1/api-keys/{id}': 'admin',
  'GET /api/v1/auth/me': 'viewer',
  'GET /api/v1/auth/oidc/callback': 'nobody',
  'GET /api/v1/auth/oidc/start': 'nobody',
  'GET /api/v1/auth/options': 'nobody',
  'POST /api/v1/auth/password': 'viewer',
  'POST /api/v1/auth/setup': 'nobody',
  'POST /api/v1/auth/setup-link': 'admin',
  'POST /api/v1/auth/sign-in': 'nobody',
  'POST /api/v1/auth/sign-out': 'viewer',
  'GET /api/v1/channels': 'admin',
  'POST /api/v1/channels': 'admin',
  'GET /api/v1/channels/{id}': 'admin',
  'PATCH /api/v1/channels/{id}': 'admin',
  'DELETE /api/v1/channels/{id}': 'admin',
  'GET /api/v1/channels/{id}/deliveries': 'admin',
  'POST /api/v1/channels/{id}/deliveries/{deliveryId}/retry': 'admin',
  'POST /api/v1/channels/{id}/test': 'admin',
  'GET /api/v1/events': 'viewer',
  'GET /api/v1/events/stream': 'viewer',
  'GET /api/v1/expiry.ics': 'calendar',
  'GET /api/v1/findings': 'viewer',
  'GET /api/v1/findings.csv': 'viewer',
  'GET /api/v1/findings.sarif': 'viewer',
  'GET /api/v1/findings/summary': 'viewer',
  'POST /api/v1/findings/triage': 'operator',
  'GET /api/v1/findings/{id}': 'viewer',
  'PATCH /api/v1/findings/{id}': 'operator',
  // needs the hook token of the integration; no role replaces it
  'POST /api/v1/hooks/gitlab/{id}': 'nobody',
  'GET /api/v1/integrations': 'viewer',
  'POST /api/v1/integrations': 'operator',
  'POST /api/v1/integrations/{id}/filters/preview': 'operator',
  'GET /api/v1/integrations/{id}/explain': 'viewer',
  'POST /api/v1/integrations/test': 'operator',
  'GET /api/v1/integrations/token-link': 'viewer',
  'GET /api/v1/integrations/{id}': 'viewer',
  'PATCH /api/v1/integrations/{id}': 'operator',
  'DELETE /api/v1/integrations/{id}': 'admin',
  'GET /api/v1/integrations/{id}/events': 'viewer',
  'POST /api/v1/integrations/{id}/hook-token': 'admin',
  'DELETE /api/v1/integrations/{id}/hook-token': 'admin',
  'GET /api/v1/integrations/{id}/repositories': 'viewer',
  'POST /api/v1/integrations/{id}/rotate': 'admin',
  'POST /api/v1/integrations/{id}/scan': 'operator',
  'POST /api/v1/integrations/{id}/sync': 'operator',
  'GET /api/v1/integrations/{id}/syncs': 'viewer',
  'PUT /api/v1/integrations/{id}/token': 'operator',
  'POST /api/v1/integrations/{id}/verify': 'operator',
  'GET /api/v1/overview': 'viewer',
  'GET /api/v1/repositories': 'viewer',
  'GET /api/v1/repositories/{id}': 'viewer',
  'POST /api/v1/repositories/{id}/scan': 'operator',
  'GET /api/v1/repositories/{id}/scans': 'viewer',
  'GET /api/v1/scans/{id}': 'viewer',
  'POST /api/v1/scans/{id}/cancel': 'operator',
  'GET /api/v1/users': 'admin',
  'POST /api/v1/users': 'admin',
  'GET /api/v1/users/{id}': 'admin',
  'PATCH /api/v1/users/{id}': 'admin',
  'DELETE /api/v1/users/{id}': 'admin',
};

// whoever may read may read the calendar too
const RANK = { metrics: 0, calendar: 1, viewer: 2, operator: 3, admin: 4 } as const;
const ROLES: readonly ApiKeyRole[] = ['metrics', 'calendar', 'viewer', 'operator', 'admin'];

let world: TestWorld;
let api: TestApi;

beforeAll(async () => {
  world = await createTestWorld({ simulator: { recipes: [] } });
  api = await startApi(world);
});

afterAll(async () => {
  await world.close();
});

test('the OpenAPI document and the access table list the same routes', () => {
  const document = openApiDocument(createApp(api.deps), 'x');
  const routes = Object.entries(document.paths ?? {}).flatMap(([path, item]) =>
    Object.keys(item).map((method) => `${method.toUpperCase()} ${path}`),
  );
  const byName = (a: string, b: string) => a.localeCompare(b);
  expect(routes.sort(byName)).toEqual(Object.keys(NEEDS).sort(byName));
});

type By = { key: ApiKeyRole } | { session: UserRole } | 'nobody';

function credentials(by: By): Record<string, string> {
  if (by === 'nobody') return {};
  if ('key' in by) return { Authorization: `Bearer ${api.keys[by.key]}` };
  return { Cookie: api.cookies[by.session], Origin: api.url };
}

/** Nothing is found or valid, so that whoever is let in changes nothing. */
async function statusOf(route: string, by: By): Promise<number> {
  const [method = '', path = ''] = route.split(' ');
  const aborter = new AbortController();
  const response = await fetch(`${api.url}${path.replace('{id}', 'none')}`, {
    method,
    signal: aborter.signal,
    redirect: 'manual',
    headers: { 'Content-Type': 'application/json', ...credentials(by) },
    ...(method === 'GET' ? {} : { body: '{"nothing":"valid"}' }),
  });
  aborter.abort(); // the stream of events does not end by itself
  return response.status;
}

const KEYS: readonly By[] = ROLES.map((key) => ({ key }));
const SESSIONS: readonly By[] = USER_ROLES.map((session) => ({ session }));

/** What who is let in is told: found, bad, not there, or that it cannot be done now. */
const LET_IN = [200, 400, 404, 409];

function rankOf(by: By): number {
  if (by === 'nobody') return -1;
  return RANK['key' in by ? by.key : by.session];
}

describe.each(Object.entries(NEEDS).flatMap(([route, role]) => (role === 'nobody' ? [] : [{ route, role }])))(
  '$route',
  ({ route, role }) => {
    test('requires authentication', async () => {
      expect(await statusOf(route, 'nobody')).toBe(401);
    });

    test.each([
      ['key', KEYS],
      ['session', SESSIONS],
    ])(`by %s, it is open to ${role} and above, and to no other`, async (_kind, everyone) => {
      for (const by of everyone) {
        const status = await statusOf(route, by);
        if (rankOf(by) < RANK[role]) expect([by, status]).toEqual([by, 403]);
        else expect([by, LET_IN.includes(status), status]).toEqual([by, true, status]);
      }
    });
  },
);

test.each(Object.keys(NEEDS).filter((route) => NEEDS[route] === 'nobody'))(
  '%s is open to everyone, in any role',
  async (route) => {
    const reported = new Set<number>();
    for (const by of ['nobody', ...KEYS, ...SESSIONS] as const) reported.add(await statusOf(route, by));
    expect([...reported]).toHaveLength(1);
    expect(reported).not.toContain(403);
  },
);

test('deleted and expired keys are refused', async () => {
  const created = await api.call('POST api-keys', { json: { name: 'short', role: 'viewer' } });
  const headers = { Authorization: `Bearer ${created.body.value}` };
  expect((await api.call('GET overview', { as: null, headers })).status).toBe(200);
  await world.db.query(`update api_key set expires_at = now() - interval '1 second' where id = $1`, [
    created.body.id,
  ]);
  expect((await api.call('GET overview', { as: null, headers })).status).toBe(401);
  await world.db.query('update api_key set expires_at = null where id = $1', [created.body.id]);
  expect((await api.call('GET overview', { as: null, headers })).status).toBe(200);
  await api.call(`DELETE api-keys/${created.body.id}`);
  expect((await api.call('GET overview', { as: null, headers })).status).toBe(401);
});

test('a 403 names the required role and nothing about the resource', async () => {
  const answer = await api.call('DELETE integrations/int_01JG0000000000000000000000', { as: 'operator' });
  expect(answer.status).toBe(403);
  expect(answer.body.detail).toContain('admin');
});

test('only an administrator sees the ids of the key ring', async () => {
  expect((await api.call('GET about', { as: 'admin' })).body.keys).toHaveLength(1);
  expect((await api.call('GET about', { as: 'operator' })).body.keys).toEqual([]);
});
