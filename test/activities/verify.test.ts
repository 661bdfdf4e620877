import { afterAll, beforeAll, beforeEach, expect, test } from '@jest/globals';
import type { FaultAnswer } from '../../simulator/index.ts';
import { fleetRecipes } from '../../simulator/index.ts';
import type { InvalidCause, ReachabilityCause } from '../../src/domain/causes.ts';
import { SecuError } from '../../src/domain/errors.ts';
import type { GitRemote, RemoteErrorCode } from '../../src/domain/ports.ts';
import type { TestWorld } from '../support/world.ts';
import { createTestWorld } from '../support/world.ts';
import { sync } from './listing-support.ts';
import type { Active, Activities } from './support.ts';
import { active, activitiesOf, addReplacement, eventsOf, kindsOf, pending, rowOf, run } from './support.ts';

const HOUR_MS = 3_600_000;
let world: TestWorld;
let activities: Activities;

beforeAll(async () => {
  world = await createTestWorld({
    simulator: { recipes: fleetRecipes(3) },
    settings: { verifyIntervalMs: 6 * HOUR_MS },
  });
});
afterAll(async () => {
  await world.close();
});
beforeEach(async () => {
  world.simulator.control.faults.clear();
  activities = await activitiesOf(world);
});

function verify(
  { integrationId }: Pick<Active, 'integrationId'>,
  { nowMs = Date.now(), commandId = null }: { nowMs?: number; commandId?: string | null } = {},
) {
  return run(activities, 'verifyToken', { integrationId, commandId, nowMs });
}

/** A git that fails to read any head. */
const refusing = (code: RemoteErrorCode): GitRemote => ({
  readHead: async () => {
    throw new SecuError(code, 'git could not read the repository');
  },
  listBranches: async () => {
    throw new SecuError(code, 'git could not read the repository');
  },
  clone: async () => {
    throw new SecuError(code, 'git could not read the repository');
  },
});

test('a good token makes an integration active, stores its facts, and requests the first listing', async () => {
  const nowMs = Date.now();
  const added = await pending(world, { expiresAt: '2027-03-01' });
  expect(await verify(added, { nowMs, commandId: added.commandId })).toEqual({
    status: 'active',
    suspicion: false,
  });

  const row = await rowOf(world, 'integration', added.integrationId);
  expect(row).toMatchObject({
    verdict: 'active',
    cause: null,
    reachability: 'reachable',
    suspected_at: null,
  });
  expect(row['last_verified_at']).toEqual(new Date(nowMs));
  const nextMs = Number(row['next_verify_at']) - nowMs;
  expect(nextMs).toBeGreaterThanOrEqual(0.95 * 6 * HOUR_MS);
  expect(nextMs).toBeLessThanOrEqual(1.05 * 6 * HOUR_MS);
  expect(await rowOf(world, 'credential', added.credentialId)).toMatchObject({
    gitlab_token_id: String(added.tokenId),
    scopes: ['read_api', 'read_repository'],
    owner_kind: 'service_account',
    expires_on: '2027-03-01',
    expiry_known: true,
  });
  expect(await eventsOf(world, added.integrationId)).toEqual([
    {
      kind: 'integration.verified',
      repositoryId: null,
      data: {
        before: { status: 'pending', cause: null, reachability: 'unknown' },
        after: { status: 'active', cause: null, reachability: 'reachable' },
      },
    },
  ]);
  expect(await rowOf(world, 'command', added.commandId)).toMatchObject({ state: 'done' });
  expect(await world.database.stores.syncs.findOpen(added.integrationId)).toMatchObject({ state: 'queued' });
  expect(activities.starters.wakes).toEqual([`fleet ${added.integrationId}`]);
  expect(await world.database.stores.outbox.waiting({ before: new Date(), limit: 10 })).toEqual([
    expect.objectContaining({ kind: 'wake_integration' }),
  ]);
});

type Spoil = (added: Active) => void;
const spoilt: [InvalidCause, Spoil][] = [
  ['token_expired', ({ tokenId }) => world.simulator.control.setTokenExpiry(tokenId, '2020-01-01')],
  ['token_revoked', ({ tokenId }) => world.simulator.control.revokeToken(tokenId)],
  ['token_rejected', ({ tokenId }) => world.simulator.control.deleteToken(tokenId)],
  [
    'token_scope_missing',
    ({ tokenId }) => world.simulator.control.setTokenScopes(tokenId, ['read_repository']),
  ],
  ['account_blocked', ({ userId }) => world.simulator.control.blockUser(userId)],
];

test.each(spoilt)('%s makes a pending integration invalid at once', async (cause, spoil) => {
  const added = await pending(world);
  spoil(added);
  expect(await verify(added)).toEqual({ status: 'invalid', suspicion: false });
  expect(await rowOf(world, 'integration', added.integrationId)).toMatchObject({ verdict: 'invalid', cause });
  expect(await eventsOf(world, added.integrationId)).toEqual([
    {
      kind: 'integration.invalid',
      repositoryId: null,
      data: {
        before: { status: 'pending', cause: null, reachability: 'unknown' },
        after: { status: 'invalid', cause, reachability: 'reachable' },
      },
    },
  ]);
  expect(await world.database.stores.syncs.findOpen(added.integrationId)).toBeNull();
});

test('an integration whose credential is lost is invalid with a cause, and needs attention', async () => {
  const added = await active(world, activities);
  await world.db.query(`delete from credential where integration_id = $1`, [added.integrationId]);
  expect((await sync(activities, added.integrationId)).listing).toMatchObject({
    complete: false,
    cause: 'token_missing',
  });
  expect(await verify(added)).toEqual({ status: 'invalid', suspicion: false });
  expect(await rowOf(world, 'integration', added.integrationId)).toMatchObject({
    verdict: 'invalid',
    cause: 'token_missing',
    reachability: 'reachable',
    suspected_at: null,
  });
  const attention = await world.database.stores.overview.attention(new Date());
  expect(attention.filter(({ integrationId }) => integrationId === added.integrationId)).toEqual([
    expect.objectContaining({ kind: 'invalid', cause: 'token_missing' }),
  ]);
  await verify(added);
  const invalid = (await kindsOf(world, added.integrationId)).filter(
    (kind) => kind === 'integration.invalid',
  );
  expect(invalid).toHaveLength(1);

  const { token } = world.simulator.control.createToken({ scopes: ['read_api', 'read_repository'] });
  const { integrationId } = added;
  const { commandId } = await addReplacement(world, { integrationId, token });
  await run(activities, 'replaceToken', { integrationId, commandId, nowMs: Date.now() });
  expect(await rowOf(world, 'integration', integrationId)).toMatchObject({ verdict: 'active', cause: null });
});

test('sso_session_required and token_wrong_kind make a pending integration invalid too', async () => {
  const bound = await pending(world);
  activities = await activitiesOf(world, { git: refusing('sso_session_required') });
  await verify(bound);
  expect(await rowOf(world, 'integration', bound.integrationId)).toMatchObject({
    verdict: 'invalid',
    cause: 'sso_session_required',
  });

  const wrong = await pending(world, { tokenKind: 'deploy' });
  await verify(wrong);
  expect(await rowOf(world, 'integration', wrong.integrationId)).toMatchObject({
    verdict: 'invalid',
    cause: 'token_wrong_kind',
  });
});

test.each<[InvalidCause, Spoil]>(spoilt.slice(0, 3))(
  '%s of an active integration is a suspicion: clones stop at once, a second verification decides',
  async (cause, spoil) => {
    const added = await active(world, activities);
    await world.db.query(`delete from sync_run where integration_id = $1`, [added.integrationId]);
    spoil(added);
    const nowMs = Date.now();
    const commandId = await world.database.stores.commands.add({
      integrationId: added.integrationId,
      kind: 'verify',
      now: new Date(),
    });
    expect(await verify(added, { nowMs, commandId })).toEqual({ status: 'active', suspicion: true });
    const row = await rowOf(world, 'integration', added.integrationId);
    expect(row).toMatchObject({ verdict: 'active', suspected_at: new Date(nowMs) });
    // even if its workflow is gone, the next verification is within a minute
    expect(Number(row['next_verify_at']) - nowMs).toBeLessThan(60_000);
    expect(await rowOf(world, 'command', commandId)).toMatchObject({ state: 'queued' });
    expect(
      await activities.takeQueuedScans({
        integrationId: added.integrationId,
        exclude: [],
        verified: false,
        nowMs,
      }),
    ).toMatchObject({ scans: [] });

    expect(await verify(added, { commandId })).toEqual({ status: 'invalid', suspicion: false });
    expect(await rowOf(world, 'integration', added.integrationId)).toMatchObject({
      verdict: 'invalid',
      cause,
      suspected_at: null,
    });
    expect(await rowOf(world, 'command', commandId)).toMatchObject({ state: 'done' });
    expect(await kindsOf(world, added.integrationId)).toEqual([
      'integration.verified',
      'integration.invalid',
    ]);
  },
);

test('a wrong suspicion is cleared, and the waiting scans are woken', async () => {
  const added = await active(world, activities);
  world.simulator.control.faults.add({
    match: { path: '/api/v4/personal_access_tokens/self', nth: 1 },
    answer: { kind: 'reply', status: 401, body: { message: '401 Unauthorized' } },
  });
  expect(await verify(added)).toMatchObject({ suspicion: true });
  activities.starters.wakes.length = 0;
  expect(await verify(added)).toEqual({ status: 'active', suspicion: false });
  expect(await rowOf(world, 'integration', added.integrationId)).toMatchObject({ suspected_at: null });
  expect(await kindsOf(world, added.integrationId)).toEqual(['integration.verified']);
  expect(activities.starters.wakes).toEqual([`fleet ${added.integrationId}`]);
});

const outages: [ReachabilityCause, FaultAnswer | RemoteErrorCode][] = [
  ['gitlab_unreachable', { kind: 'disconnect' }],
  ['gitlab_redirected', { kind: 'redirect', location: 'https://elsewhere.example/' }],
  ['gitlab_rate_limited', { kind: 'rate_limit', limiter: 'rack_attack' }],
  ['gitlab_reply_unreadable', { kind: 'truncated_json' }],
  ['not_gitlab', { kind: 'html', status: 404 }],
  ['gitlab_tls_failed', 'gitlab_tls_failed'],
];

test.each(outages)(
  '%s never changes the status of an active integration, and has one event',
  async (cause, answer) => {
    const added = await active(world, activities);
    if (typeof answer === 'string')
      activities = await activitiesOf(world, { git: refusing('gitlab_tls_failed') });
    else world.simulator.control.faults.add({ match: { path: /^\/api\/v4\// }, answer });
    const nowMs = Date.now();
    expect(await verify(added, { nowMs })).toEqual({ status: 'active', suspicion: false });
    await verify(added, { nowMs });
    const row = await rowOf(world, 'integration', added.integrationId);
    expect(row).toMatchObject({
      verdict: 'active',
      cause: null,
      reachability: 'unreachable',
      reachability_cause: cause,
      verify_failures: 2,
    });
    expect(Number(row['next_verify_at']) - nowMs).toBeGreaterThan(13_000);
    expect(Number(row['next_verify_at']) - nowMs).toBeLessThan(17_000);
    expect(await kindsOf(world, added.integrationId)).toEqual([
      'integration.verified',
      'integration.unreachable',
    ]);
  },
);

test('recovery after an outage is noticed, and waiting scans continue', async () => {
  const added = await active(world, activities);
  await world.simulator.control.down();
  await verify(added);
  expect(
    await activities.takeQueuedScans({
      integrationId: added.integrationId,
      exclude: [],
      verified: false,
      nowMs: Date.now(),
    }),
  ).toMatchObject({ scans: [] });
  await world.simulator.control.up();
  activities.starters.wakes.length = 0;
  await verify(added);
  expect(await rowOf(world, 'integration', added.integrationId)).toMatchObject({
    reachability: 'reachable',
    reachability_cause: null,
    verify_failures: 0,
  });
  expect(await kindsOf(world, added.integrationId)).toEqual([
    'integration.verified',
    'integration.unreachable',
    'integration.recovered',
  ]);
  expect(activities.starters.wakes).toEqual([`fleet ${added.integrationId}`]);
});

test('an address that is not a GitLab makes a pending integration invalid', async () => {
  const added = await pending(world);
  world.simulator.control.faults.add({
    match: { path: /^\/api\/v4\// },
    answer: { kind: 'html', status: 404 },
  });
  await verify(added);
  expect(await rowOf(world, 'integration', added.integrationId)).toMatchObject({
    verdict: 'invalid',
    cause: 'not_gitlab',
  });
});

test('a successful verification makes an invalid integration active again', async () => {
  const added = await pending(world);
  world.simulator.control.blockUser(added.userId);
  await verify(added);
  world.simulator.control.blockUser(added.userId, 'active');
  expect(await verify(added)).toEqual({ status: 'active', suspicion: false });
  expect(await kindsOf(world, added.integrationId)).toEqual(['integration.invalid', 'integration.verified']);
});

test('a verdict about a token that was replaced meanwhile is not written', async () => {
  const added = await active(world, activities);
  const { token } = world.simulator.control.createToken({ scopes: ['read_api', 'read_repository'] });
  const next = await addReplacement(world, { integrationId: added.integrationId, token });
  activities = await activitiesOf(world, {
    git: {
      ...refusing('sso_session_required'),
      async readHead() {
        const now = new Date();
        await world.database.stores.credentials.promote({
          id: next.credentialId,
          integrationId: added.integrationId,
          now,
        });
        throw new SecuError('sso_session_required', 'git could not read the repository');
      },
    },
  });
  expect(await verify(added)).toEqual({ status: 'superseded', suspicion: false });
  expect(await rowOf(world, 'integration', added.integrationId)).toMatchObject({ verdict: 'active' });
  expect(await kindsOf(world, added.integrationId)).toEqual(['integration.verified']);
});

test('a removed integration is not verified', async () => {
  const added = await active(world, activities);
  await world.database.stores.integrations.remove({ id: added.integrationId, now: new Date() });
  world.simulator.control.requests.reset();
  expect(await verify(added)).toEqual({ status: 'removed', suspicion: false });
  expect(world.simulator.control.requests.list()).toEqual([]);
});

test('while Temporal is unavailable the wake stays in the outbox', async () => {
  const added = await pending(world);
  await world.db.query('delete from outbox');
  activities.starters.away = true;
  await verify(added);
  expect(await world.database.stores.outbox.waiting({ before: new Date(), limit: 10 })).toEqual([
    { id: expect.any(String), kind: 'wake_fleet', integrationId: added.integrationId },
  ]);
});

test('pausing hides the verdict but does not stop verification', async () => {
  const added = await active(world, activities);
  await world.database.stores.integrations.change(added.integrationId, { paused: true }, new Date());
  world.simulator.control.blockUser(added.userId);
  await verify(added);
  expect(await rowOf(world, 'integration', added.integrationId)).toMatchObject({
    paused: true,
    verdict: 'invalid',
    cause: 'account_blocked',
  });
});
