import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import type { Recipe, Simulator } from '../../simulator/index.ts';
import { createSimulator } from '../../simulator/index.ts';
import type { World } from './support.ts';
import { canaryToken, worldOf } from './support.ts';

let folder: string;
let simulator: Simulator;
let world: World;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'secu-sim-'));
  simulator = await createSimulator({ folder, recipes: recipes() });
});

afterAll(async () => {
  await simulator.close();
  await rm(folder, { recursive: true, force: true });
});

beforeEach(() => {
  simulator.control.faults.clear();
  simulator.control.requests.reset();
  world = worldOf(simulator.url);
});

function recipe(name: string, path: string, project: Recipe['project'] = {}): Recipe {
  const commits = () =>
    name.startsWith('empty') ? [] : [{ message: 'Begin', files: { 'README.md': `# ${name}` } }];
  return { name, path, about: name, project, commits, expect: { listed: true, findings: [] } };
}

function recipes(): Recipe[] {
  return [
    recipe('empty', 'acme/fresh'),
    recipe('disabled', 'acme/wiki-only', { repositoryAccess: 'disabled' }),
    recipe('shop', 'acme/shop'),
    recipe('fork', 'acme/fork-of-shop', { forkOf: 'acme/shop' }),
    recipe('archived', 'acme/legacy', { archived: true }),
    recipe('pending', 'acme/old-deletion_scheduled-9', { markedForDeletionOn: '2026-11-10' }),
    recipe('empty-importing', 'acme/importing', { importStatus: 'started' }),
    recipe('personal', 'jdoe/dotfiles', { owner: 'jdoe', role: { level: 20, via: 'project' } }),
    recipe('guest', 'acme/hidden-code', { role: { level: 10, via: 'project' } }),
    recipe('gone', 'acme/gone'),
  ];
}

function api(options: Parameters<Simulator['control']['createToken']>[0] = {}) {
  const { token, id } = simulator.control.createToken(options);
  return { ...world.api({ token }), tokenId: id };
}

describe('a token that works', () => {
  test('is described with our names, with its owner', async () => {
    const { id, username } = simulator.control.createUser({ kind: 'service_account' });
    const observed = await api({
      userId: id,
      name: 'platform',
      expiresAt: '2030-01-31',
      scopes: ['read_api', 'self_rotate'],
    }).observeSelf();
    expect(observed).toMatchObject({
      kind: 'token',
      token: {
        name: 'platform',
        scopes: ['read_api', 'self_rotate'],
        granular: false,
        expiry: { kind: 'on', date: '2030-01-31' },
        owner: { username, kind: 'service_account' },
      },
    });
  });

  test.each([
    ['human', 'user'],
    ['service_account', 'service_account'],
    ['group_token_bot', 'group_token'],
    ['project_token_bot', 'project_token'],
  ] as const)('of a %s belongs to a %s', async (kind, expected) => {
    const user = simulator.control.createUser({ kind });
    expect(await api({ userId: user.id }).observeSelf()).toMatchObject({
      token: { owner: { kind: expected } },
    });
  });

  test('that never expires differs from a token with an unknown expiry', async () => {
    expect(await api({ expiresAt: null }).observeSelf()).toMatchObject({
      token: { expiry: { kind: 'never' } },
    });
  });

  test('that may not read its user has an unknown owner', async () => {
    expect(await api({ scopes: ['read_repository'] }).observeSelf()).toMatchObject({
      kind: 'token',
      token: { owner: { username: null, kind: 'unknown' } },
    });
  });

  test('of an old release, or a fine-grained one, is read too', async () => {
    expect(await api({ fields: 'before_17_7' }).observeSelf()).toMatchObject({ kind: 'token' });
    const fineGrained = api({
      granular: [{ access: 'user', permissions: ['read_personal_access_token', 'read_project'] }],
      listsGranularScopes: true,
    });
    expect(await fineGrained.observeSelf()).toMatchObject({
      token: { granular: true, scopes: ['granular'] },
    });
  });

  test('is sent only as a bearer token in a header, with an honest user agent', async () => {
    await api().observeSelf();
    for (const request of simulator.control.requests.list()) {
      expect(request).toMatchObject({ authorization: 'bearer', userAgent: 'Secu/0.0.0-test' });
    }
    expect(simulator.control.requests.authorizationsSeen()).toHaveLength(1);
  });
});

describe('a token that GitLab refuses', () => {
  test('after its expiry date is expired', async () => {
    expect(await api({ expiresAt: '2020-01-31' }).observeSelf()).toEqual({
      kind: 'unauthorized',
      reason: 'expired',
    });
  });

  test('after its revocation is revoked', async () => {
    const { tokenId, ...asked } = api();
    simulator.control.revokeToken(tokenId);
    expect(await asked.observeSelf()).toEqual({ kind: 'unauthorized', reason: 'revoked' });
    expect((await asked.observeListing()).observation).toEqual({ kind: 'unauthorized' });
    await expect(asked.listProjectsPage({ idAfter: null })).rejects.toMatchObject({ code: 'token_revoked' });
  });

  test('because GitLab does not know it is unknown', async () => {
    expect(await world.api({ token: canaryToken() }).observeSelf()).toEqual({
      kind: 'unauthorized',
      reason: 'unknown',
    });
    await expect(world.api().readProject(15)).rejects.toMatchObject({ code: 'token_rejected' });
  });

  test('because its owner is blocked is reported as that', async () => {
    const user = simulator.control.createUser();
    const requested = api({ userId: user.id });
    simulator.control.blockUser(user.id);
    expect(await requested.observeSelf()).toEqual({ kind: 'blocked' });
    await expect(requested.listProjectsPage({ idAfter: null })).rejects.toMatchObject({
      code: 'account_blocked',
    });
  });

  test('because it is an OAuth token is of the wrong kind', async () => {
    expect(await api({ kind: 'oauth', scopes: ['api'] }).observeSelf()).toEqual({ kind: 'wrong_kind' });
  });

  test('because it is a deploy token is unknown, and its prefix names the kind', async () => {
    const requested = api({ kind: 'deploy', scopes: ['read_repository'] });
    expect(await requested.observeSelf()).toEqual({ kind: 'unauthorized', reason: 'unknown' });
    expect(requested.prefixKind).toBe('token_is_deploy_token');
  });

  test('for listing lacks a scope, but is valid', async () => {
    const requested = api({ scopes: ['read_repository'] });
    expect((await requested.observeSelf()).kind).toBe('token');
    expect(await requested.observeListing()).toEqual({ observation: { kind: 'scope_missing' }, samples: [] });
    await expect(requested.listProjectsPage({ idAfter: null })).rejects.toMatchObject({
      code: 'token_scope_missing',
    });
  });

  test('to read itself, because it is fine-grained, is valid and unreadable', async () => {
    const requested = api({ granular: [{ access: 'all_memberships', permissions: ['read_project'] }] });
    expect(await requested.observeSelf()).toEqual({ kind: 'self_unreadable' });
    expect((await requested.observeListing()).observation.kind).toBe('listed');
  });

  test.each(['impersonation_disabled', 'dpop_required'])('with %s is refused permanently', async (id) => {
    simulator.control.faults.add({ match: { path: /self$/ }, answer: { kind: 'case', id } });
    expect(await api().observeSelf()).toEqual({ kind: 'unauthorized', reason: 'unknown' });
  });

  test('because its owner must accept terms is blocked', async () => {
    simulator.control.faults.add({ match: { path: /self$/ }, answer: { kind: 'case', id: 'user_terms' } });
    expect(await api().observeSelf()).toEqual({ kind: 'blocked' });
  });
});

describe('no answer', () => {
  const faults = [
    ['a server error', { kind: 'case', id: 'server_error' }, 'gitlab_unreachable'],
    ['a bad gateway', { kind: 'case', id: 'bad_gateway_html' }, 'gitlab_unreachable'],
    ['a deploy', { kind: 'case', id: 'deploy_in_progress_html' }, 'gitlab_unreachable'],
    ['a busy Gitaly', { kind: 'case', id: 'gitaly_busy' }, 'gitlab_unreachable'],
    ['a challenge of Cloudflare', { kind: 'case', id: 'cloudflare_challenge' }, 'gitlab_unreachable'],
    ['too many addresses', { kind: 'case', id: 'too_many_ips' }, 'gitlab_unreachable'],
    ['a closed connection', { kind: 'disconnect' }, 'gitlab_unreachable'],
    ['a cut in the middle', { kind: 'cut' }, 'gitlab_unreachable'],
    ['half a JSON', { kind: 'truncated_json' }, 'gitlab_reply_unreadable'],
    [
      'the general throttle',
      { kind: 'rate_limit', limiter: 'rack_attack', retryAfterSeconds: 60 },
      'gitlab_rate_limited',
    ],
    [
      'the throttle of a route',
      { kind: 'rate_limit', limiter: 'application', retryAfterSeconds: null },
      'gitlab_rate_limited',
    ],
    ['a redirect', { kind: 'redirect', location: 'https://www.example.com/api/v4' }, 'gitlab_redirected'],
  ] as const;

  test.each(faults)(
    'because of %s is an observation, never a verdict on the token',
    async (_name, answer, cause) => {
      simulator.control.faults.add({ match: { path: /self$/ }, answer });
      expect(await api().observeSelf()).toEqual({ kind: 'no_answer', cause });
    },
  );

  test.each(faults)(
    'to a listing because of %s is an observation too, and an error of the page',
    async (_name, answer, cause) => {
      simulator.control.faults.add({ match: { path: /^\/api\/v4\/projects/ }, answer });
      expect(await api().observeListing()).toEqual({
        observation: { kind: 'no_answer', cause },
        samples: [],
      });
      await expect(api().listProjectsPage({ idAfter: null })).rejects.toMatchObject({ code: cause });
    },
  );

  test('to the request for the owner does not affect the token', async () => {
    simulator.control.faults.add({
      match: { path: '/api/v4/user' },
      answer: { kind: 'case', id: 'server_error' },
    });
    expect(await api().observeSelf()).toMatchObject({ kind: 'token', token: { owner: { kind: 'unknown' } } });
  });

  test('within the deadline ends the request', async () => {
    world = worldOf(simulator.url, { requestTimeoutMs: 200 });
    simulator.control.faults.add({ match: { path: /./ }, answer: { kind: 'hang' } });
    expect(await api().observeSelf()).toEqual({ kind: 'no_answer', cause: 'gitlab_unreachable' });
    await expect(api().readProject(15)).rejects.toMatchObject({ details: { problem: 'timeout' } });
  });

  test('in full within the deadline ends the request', async () => {
    world = worldOf(simulator.url, { requestTimeoutMs: 300 });
    simulator.control.faults.add({ match: { path: /./ }, answer: { kind: 'slow', bytesPerSecond: 20 } });
    await expect(api().listProjectsPage({ idAfter: null })).rejects.toMatchObject({
      details: { problem: 'timeout' },
    });
  });

  test('because the server is down is an observation, and the next request after it works', async () => {
    const requested = api();
    await simulator.control.down();
    expect(await requested.observeSelf()).toEqual({ kind: 'no_answer', cause: 'gitlab_unreachable' });
    await simulator.control.up();
    expect((await requested.observeSelf()).kind).toBe('token');
  });

  test('after a cancel throws the reason of the caller', async () => {
    simulator.control.faults.add({ match: { path: /./ }, answer: { kind: 'hang' } });
    const canceling = new AbortController();
    const requested = api().observeSelf({ signal: canceling.signal });
    const reason = new Error('shut down');
    setTimeout(() => canceling.abort(reason), 50);
    await expect(requested).rejects.toBe(reason);
  });
});

describe('a server that is not a GitLab API', () => {
  test.each([
    ['a page', { kind: 'html', status: 200, title: 'Welcome' }],
    ['a missing page', { kind: 'html', status: 404, title: 'Not found' }],
    ['an unknown route', { kind: 'case', id: 'unknown_route' }],
    ['a sign-in', { kind: 'redirect', location: '/users/sign_in' }],
    [
      'a sign-in elsewhere',
      { kind: 'redirect', location: 'https://sso.example.com/oauth2/authorize?client=x' },
    ],
  ] as const)('is recognised by %s', async (_name, answer) => {
    simulator.control.faults.add({ match: { path: /./ }, answer });
    expect(await api().observeSelf()).toEqual({ kind: 'not_gitlab' });
    expect((await api().observeListing()).observation).toEqual({ kind: 'no_answer', cause: 'not_gitlab' });
  });

  test('includes a GitLab before 15.5, where an invalid token is still reported as invalid', async () => {
    simulator.control.faults.add({
      match: { path: /self$/ },
      answer: { kind: 'reply', status: 400, body: { error: 'id is invalid' } },
    });
    expect(await api().observeSelf()).toEqual({ kind: 'not_gitlab' });
    expect(await world.api().observeSelf()).toEqual({ kind: 'unauthorized', reason: 'unknown' });
  });
});

describe('the listing', () => {
  test('uses keyset pagination, one page at a time, and never follows Link', async () => {
    const requested = api();
    const observed: number[] = [];
    let idAfter: number | null = null;
    do {
      const page: Awaited<ReturnType<typeof requested.listProjectsPage>> = await requested.listProjectsPage({
        idAfter,
        perPage: 4,
      });
      observed.push(...page.repositories.map((repository) => repository.gitlabProjectId));
      idAfter = page.lastId;
    } while (idAfter !== null);
    expect(observed).toEqual([...observed].sort((one, other) => one - other));
    expect(new Set(observed).size).toBe(9);
    const queries = simulator.control.requests.list().map((request) => request.query);
    expect(queries).toHaveLength(4);
    expect(queries[0]).toBe(
      'membership=true&min_access_level=20&pagination=keyset&order_by=id&sort=asc&per_page=4',
    );
    expect(queries[1]).toBe(`${queries[0]}&id_after=${observed[3]}`);
  });

  test('describes every property with our names', async () => {
    const { repositories } = await api().listProjectsPage({ idAfter: null });
    const byPath = new Map(repositories.map((repository) => [repository.fullPath, repository]));
    expect(byPath.get('acme/shop')).toMatchObject({
      defaultBranch: 'main',
      empty: false,
      archived: false,
      fork: false,
      personal: false,
    });
    expect(byPath.get('acme/fresh')).toMatchObject({ empty: true });
    // a project that is being imported or mirrored is not empty unless GitLab says `empty_repo`
    expect(byPath.get('acme/importing')).toMatchObject({ empty: true });
    expect(byPath.get('acme/wiki-only')).toMatchObject({ repositoryDisabled: true, defaultBranch: null });
    expect(byPath.get('acme/fork-of-shop')).toMatchObject({ fork: true });
    expect(byPath.get('acme/legacy')).toMatchObject({ archived: true });
    expect(byPath.get('acme/old-deletion_scheduled-9')).toMatchObject({ pendingDeletion: true });
    expect(byPath.get('jdoe/dotfiles')).toMatchObject({ personal: true });
    expect(byPath.has('acme/hidden-code')).toBe(false);
  });

  test('returns a few cloneable repositories as samples, from different groups first', async () => {
    const { observation, samples } = await api().observeListing();
    expect(observation).toEqual({ kind: 'listed', repositories: 9 });
    expect(samples.map((sample) => sample.fullPath)).toEqual([
      'acme/shop',
      'jdoe/dotfiles',
      'acme/fork-of-shop',
      'acme/legacy',
    ]);
  });

  test('of a token without projects is empty, not an error', async () => {
    const user = simulator.control.createUser({ member: false });
    expect(await api({ userId: user.id }).listProjectsPage({ idAfter: null })).toEqual({
      entries: [],
      repositories: [],
      lastId: null,
      endsUnidentified: false,
    });
  });
});

describe('one repository', () => {
  test('is read by ID, with its current name', async () => {
    const { id } = simulator.control.project('shop');
    expect(await api().readProject(id)).toMatchObject({ gitlabProjectId: id, fullPath: 'acme/shop' });
  });

  test('that is gone or hidden is null', async () => {
    const { id } = simulator.control.project('gone');
    simulator.control.removeProject('gone');
    expect(await api().readProject(id)).toBeNull();
    simulator.control.faults.add({
      match: { path: /projects\// },
      answer: { kind: 'case', id: 'granular_hidden' },
    });
    expect(await api().readProject(id)).toBeNull();
  });

  test.each([
    ['an unknown route', { kind: 'case', id: 'unknown_route' }, 'not_gitlab'],
    ['a missing page', { kind: 'html', status: 404 }, 'not_gitlab'],
    ['a server error', { kind: 'case', id: 'server_error' }, 'gitlab_unreachable'],
  ] as const)('is not called gone for %s', async (_name, answer, code) => {
    simulator.control.faults.add({ match: { path: /projects\// }, answer });
    await expect(api().readProject(15)).rejects.toMatchObject({ code });
  });
});
