import { readFileSync } from 'node:fs';

import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { z } from 'zod';
import type { Started } from './start.ts';
import { call, startSimulator } from './start.ts';

const SELF = '/personal_access_tokens/self';
const Rotated = z.looseObject({ id: z.number(), token: z.string(), expires_at: z.string().nullable() });
const Examples = z.record(z.string(), z.record(z.string(), z.unknown()));
const Errors = z.array(
  z.object({
    id: z.string(),
    status: z.number(),
    headers: z.record(z.string(), z.string()),
    body: z.unknown(),
  }),
);

function data(name: string): unknown {
  return JSON.parse(readFileSync(new URL(`../../simulator/data/${name}.json`, import.meta.url), 'utf8'));
}

let started: Started;
beforeAll(async () => {
  started = await startSimulator({ now: () => new Date('2026-11-24T10:00:00Z') });
});
afterAll(async () => {
  expect(started.simulator.control.failures()).toEqual([]);
  await started.stop();
});

const control = () => started.simulator.control;
const api = (token: string, path: string, options: { method?: string; body?: string } = {}) => {
  const headers = { 'Content-Type': 'application/json' };
  return call({ simulator: started.simulator, path: `/api/v4${path}`, token, headers, ...options });
};
const rotate = (token: string, body = {}) =>
  api(token, `${SELF}/rotate`, { method: 'POST', body: JSON.stringify(body) });

async function expectCase(
  id: string,
  answer: Awaited<ReturnType<typeof api>>,
  fill: Record<string, string> = {},
) {
  const expected = Errors.parse(data('api_errors')).find((entry) => entry.id === id);
  const text = Object.entries(fill).reduce(
    (all, [from, to]) => all.replaceAll(from, to),
    JSON.stringify(expected?.body),
  );
  expect({ status: answer.status, body: answer.json }).toEqual({
    status: expected?.status,
    body: JSON.parse(text),
  });
  expect(answer.headers.get('www-authenticate')).toBe(expected?.headers['WWW-Authenticate'] ?? null);
}

test.each([
  ['classic_current', {}],
  ['classic_never_used_no_expiry', { expiresAt: null, description: null }],
  ['classic_before_17_7', { fields: 'before_17_7' as const }],
  ['granular', { granular: [{ access: 'user' as const, permissions: ['read_personal_access_token'] }] }],
  [
    'granular_with_scopes_listed',
    {
      granular: [{ access: 'user' as const, permissions: ['read_personal_access_token'] }],
      listsGranularScopes: true,
    },
  ],
])('self of a token of the kind %s has the fields of the example', async (kind, options) => {
  const { token, id } = control().createToken(options);
  const { status, json } = await api(token, SELF);
  const self = z.record(z.string(), z.unknown()).parse(json);
  expect(status).toBe(200);
  expect(Object.keys(self).toSorted()).toEqual(
    Object.keys(Examples.parse(data('token_self'))[kind] ?? {}).toSorted(),
  );
  expect(self).toMatchObject({ id, revoked: false, active: true, last_used_at: null });
});

test('both ways to send a token open the API', async () => {
  const { token } = control().createToken({});
  const bearer = await call({
    simulator: started.simulator,
    path: `/api/v4${SELF}`,
    headers: { Authorization: `Bearer ${token}` },
  });
  expect(bearer.status).toBe(200);
});

test('a token expires at 00:00 UTC of its expiry date, not a second before', async () => {
  const { token } = control().createToken({ expiresAt: '2026-12-01' });
  try {
    control().setClock('2026-11-30T23:59:59Z');
    expect((await api(token, SELF)).status).toBe(200);
    control().setClock('2026-12-01T00:00:00Z');
    await expectCase('expired', await api(token, SELF));
  } finally {
    control().setClock(0);
  }
});

test('unknown, revoked and deleted tokens are distinguished as GitLab does', async () => {
  const { token, id } = control().createToken({});
  await expectCase('unknown_token', await api('nobody', SELF));
  control().revokeToken(id);
  await expectCase('revoked', await api(token, SELF));
  control().deleteToken(id);
  await expectCase('unknown_token', await api(token, SELF));
});

test.each([
  ['/projects', 'scope_projects'],
  ['/version', 'scope_generic'],
  ['/metadata', 'scope_generic'],
  ['/user', 'scope_user'],
])('%s refuses a token that can only clone', async (path, id) => {
  const { token } = control().createToken({ scopes: ['read_repository'] });
  await expectCase(id, await api(token, path));
  expect((await api(token, SELF)).status).toBe(200);
});

test('blocked users, oauth and deploy tokens are refused with their own texts', async () => {
  const user = control().createUser();
  const { token } = control().createToken({ userId: user.id });
  control().blockUser(user.id);
  await expectCase('user_blocked', await api(token, SELF));
  await expectCase('self_with_oauth_token', await api(control().createToken({ kind: 'oauth' }).token, SELF));
  await expectCase('unknown_token', await api(control().createToken({ kind: 'deploy' }).token, SELF));
});

test('a fine-grained token without permission to read itself is refused there, and can still list', async () => {
  const { token } = control().createToken({
    granular: [{ access: 'selected_memberships', permissions: ['read_project'], projectIds: [15, 16] }],
  });
  const self = await api(token, SELF);
  expect([self.status, z.object({ error: z.string() }).parse(self.json).error]).toEqual([
    403,
    'insufficient_granular_scope',
  ]);
  const listed = z
    .array(z.object({ id: z.number() }))
    .parse((await api(token, '/projects?order_by=id&sort=asc')).json);
  expect(listed.map(({ id }) => id)).toEqual([15, 16]);
  await expectCase('granular_hidden', await api(token, '/projects/17'));
});

test('a group that requires fine-grained tokens refuses classic tokens of people, not of bots', async () => {
  control().restrict('payments', { granularEnforced: true });
  const person = control().createToken({ userId: control().createUser({ kind: 'human' }).id });
  const bot = control().createToken({});
  await expectCase('granular_permission_missing', await api(person.token, '/projects/acme%2Fpayments'));
  expect((await api(bot.token, '/projects/acme%2Fpayments')).status).toBe(200);
  control().restrict('payments', { granularEnforced: false });
});

test('rotation revokes the old token and returns a new one that expires after a week by default', async () => {
  const { token, id } = control().createToken({ scopes: ['read_api', 'self_rotate'] });
  const { status, json } = await rotate(token);
  const rotated = Rotated.parse(json);
  expect(status).toBe(200);
  expect(Object.keys(rotated).toSorted()).toEqual(
    Object.keys(z.record(z.string(), z.unknown()).parse(data('token_rotate_200'))).toSorted(),
  );
  expect(rotated.expires_at).toBe('2026-12-01');
  expect(rotated.id).not.toBe(id);
  await expectCase('revoked', await api(token, SELF));
  expect((await api(rotated.token, SELF)).status).toBe(200);
});

test('rotation with an already rotated token revokes the whole family', async () => {
  const { token } = control().createToken({ scopes: ['api'] });
  const second = Rotated.parse((await rotate(token, { expires_at: '2027-01-31' })).json);
  expect(second.expires_at).toBe('2027-01-31');
  await expectCase('revoked', await api(token, SELF));
  expect((await api(second.token, SELF)).status).toBe(200);
  await expectCase('revoked', await rotate(token));
  await expectCase('revoked', await api(second.token, SELF));
});

test('rotation without its scope, with a bad date or with one too far away is refused and changes nothing', async () => {
  const { token: reader } = control().createToken({});
  await expectCase('scope_self_rotate', await rotate(reader));
  const { token } = control().createToken({ scopes: ['api'] });
  await expectCase('rotate_expiry_not_a_date', await rotate(token, { expires_at: 'abc' }));
  await expectCase('rotate_expiry_too_far', await rotate(token, { expires_at: '2027-11-25' }), {
    '<max date>': '2027-11-24',
  });
  expect((await rotate(token, { expires_at: '2026-11-24' })).status).toBe(400);
  expect((await api(token, SELF)).status).toBe(200);
  expect((await rotate(token, { expires_at: '2027-11-24' })).status).toBe(200);
});

test('maintenance mode and the end of classic tokens prevent a rotation', async () => {
  const { token } = control().createToken({ scopes: ['api'] });
  control().setInstance({ maintenanceMode: true });
  await expectCase('maintenance_write', await rotate(token));
  control().setInstance({ maintenanceMode: false, legacyRotationDisabled: true });
  await expectCase('rotate_legacy_disabled', await rotate(token));
  control().setInstance({ legacyRotationDisabled: false });
  expect((await api(token, SELF)).status).toBe(200);
});

test('a token can revoke itself', async () => {
  const { token } = control().createToken({});
  const answer = await api(token, SELF, { method: 'DELETE' });
  expect([answer.status, answer.text]).toEqual([204, '']);
  await expectCase('revoked', await api(token, SELF));
});

test('associations show groups and projects with the fields of the example', async () => {
  const { token } = control().createToken({ scopes: ['read_repository'] });
  const Lists = z.object({
    groups: z.array(z.record(z.string(), z.unknown())),
    projects: z.array(z.record(z.string(), z.unknown())),
  });
  const shown = Lists.parse((await api(token, `${SELF}/associations?per_page=5`)).json);
  const example = Lists.parse(data('token_associations_200'));
  for (const kind of ['groups', 'projects'] as const) {
    expect(Object.keys(shown[kind][0] ?? {}).toSorted()).toEqual(
      Object.keys(example[kind][0] ?? {}).toSorted(),
    );
  }
  expect(shown.projects).toHaveLength(5);
});

test.each([
  ['human', 'human', false],
  ['group_service_account', 'service_account', true],
  ['group_access_token_bot', 'group_token_bot', true],
  ['project_access_token_bot', 'project_token_bot', true],
] as const)('GET /user of the kind %s agrees with the example', async (example, kind, bot) => {
  const { token } = control().createToken({ userId: control().createUser({ kind }).id });
  const user = z.record(z.string(), z.unknown()).parse((await api(token, '/user')).json);
  expect(Object.keys(user).toSorted()).toEqual(
    Object.keys(Examples.parse(data('current_user_200'))[example] ?? {}).toSorted(),
  );
  expect(user['bot']).toBe(bot);
});

test('metadata and version are those of the example', async () => {
  const { token } = control().createToken({});
  const metadata = z.record(z.string(), z.unknown()).parse(data('metadata_200'));
  expect((await api(token, '/metadata')).json).toEqual(metadata);
  const { version, revision } = metadata;
  expect((await api(token, '/version')).json).toEqual({ version, revision });
});

test('new tokens can have the longer, routable form', () => {
  const { token } = control().createToken({ shape: 'routable' });
  expect(token).toMatch(/^\w{2}pat-[0-9A-Za-z_-]{27,300}\.[0-9a-z]{2}\.[0-9a-z]{9}$/);
});
