import { readFileSync } from 'node:fs';

import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { z } from 'zod';

import { fleetRecipes } from '../../simulator/index.ts';
import type { Started } from './start.ts';
import { call, startSimulator } from './start.ts';

const Item = z.looseObject({ id: z.number(), path_with_namespace: z.string() });
const Items = z.array(Item);
const Data = z.record(z.string(), z.record(z.string(), z.unknown()));
const Errors = z.array(z.object({ id: z.string(), status: z.number(), body: z.unknown() }));
const KEYSET = 'membership=true&pagination=keyset&order_by=id&sort=asc';

function data(name: string): unknown {
  return JSON.parse(readFileSync(new URL(`../../simulator/data/${name}.json`, import.meta.url), 'utf8'));
}

function errorCase(id: string): { status: number; body: unknown } {
  const found = Errors.parse(data('api_errors')).find((entry) => entry.id === id);
  if (found === undefined) throw new Error(`no case ${id}`);
  return { status: found.status, body: found.body };
}

let started: Started;
let token: string;
beforeAll(async () => {
  started = await startSimulator();
  token = started.simulator.control.createToken({}).token;
});
afterAll(async () => {
  expect(started.simulator.control.failures()).toEqual([]);
  await started.stop();
});

const api = (
  path: string,
  options: { token?: string; headers?: Record<string, string>; method?: string } = {},
) => call({ simulator: started.simulator, path: `/api/v4${path}`, token, ...options });
const list = async (query: string) => Items.parse((await api(`/projects?${query}`)).json);

test.each([
  ['subgroup_inherited', 'acme/platform/gateway'],
  ['personal', 'jdoe/dotfiles'],
  ['empty_repository', 'acme/fresh'],
  ['archived', 'acme/legacy'],
  ['repository_disabled', 'acme/wiki-only'],
  ['marked_for_deletion', 'acme/old-deletion_scheduled-23'],
  ['permissions_both_null', 'acme/via-invited-group'],
  ['sha256', 'acme/modern'],
  ['import_running', 'acme/importing'],
  ['fork', 'acme/fork-of-shop'],
  ['clone_url_on_other_host', 'acme/odd-host'],
  ['unusual_names', 'acme/Unicode.proj_1-x'],
  ['guest_no_code', 'acme/hidden-code'],
])('an item of the kind %s has the fields of GitLab', async (kind, path) => {
  const expected = Data.parse(data('projects_list_items'))[kind] ?? {};
  const item = Item.parse((await api(`/projects/${encodeURIComponent(path)}`)).json);
  expect(Object.keys(item).toSorted()).toEqual(Object.keys(expected).toSorted());
  const telling = [
    'archived',
    'empty_repo',
    'marked_for_deletion_on',
    'repository_object_format',
    'import_status',
    'default_branch',
    'repository_access_level',
  ];
  for (const field of telling) expect([field, item[field]]).toEqual([field, expected[field]]);
  expect(item.path_with_namespace).toBe(path);
});

test('an item of a simple listing has only the simple fields', async () => {
  const expected = Data.parse(data('projects_list_items'))['simple_true'] ?? {};
  const [item = {}] = await list('simple=true&order_by=id&sort=asc&membership=true');
  expect(Object.keys(item).toSorted()).toEqual(Object.keys(expected).toSorted());
});

test('a keyset listing returns every project once, with a next link on each page except the empty last one', async () => {
  const observed: number[] = [];
  let [after, pages] = [0, 0];
  for (;;) {
    const page = await api(`/projects?${KEYSET}&per_page=10&id_after=${after}`);
    pages += 1;
    const rows = Items.parse(page.json);
    if (rows.length === 0) {
      expect(page.headers.get('link')).toBeNull();
      break;
    }
    after = rows.at(-1)?.id ?? 0;
    expect(page.headers.get('link')).toContain(`id_after=${after}>; rel="next"`);
    expect(page.headers.get('x-total')).toBeNull();
    observed.push(...rows.map(({ id }) => id));
  }
  const count = started.simulator.recipes.length;
  expect(observed).toEqual([...new Set(observed)].toSorted((a, b) => a - b));
  expect([observed.length, pages]).toEqual([count, Math.ceil(count / 10) + 1]);
});

test('the filters decide which projects are listed', async () => {
  const paths = async (query: string) =>
    (await list(`${KEYSET}&per_page=100&${query}`)).map((item) => item.path_with_namespace);
  expect(await paths('')).toContain('acme/hidden-code');
  expect(await paths('min_access_level=20')).not.toContain('acme/hidden-code');
  expect(await paths('archived=true')).toEqual(['acme/legacy']);
  const active = await paths('active=true');
  expect(active).not.toContain('acme/legacy');
  expect(active).not.toContain('acme/old-deletion_scheduled-23');
  expect(await paths('min_access_level=30')).toEqual(['acme/via-invited-group']);
  expect(await paths('visibility=public')).toEqual(['acme/library']);
});

test('without membership, another user sees public projects only', async () => {
  const { control } = started.simulator;
  const stranger = control.createToken({ userId: control.createUser({ kind: 'human', member: false }).id });
  const all = await api('/projects?visibility=public', { token: stranger.token });
  const own = await api('/projects?membership=true', { token: stranger.token });
  expect(Items.parse(all.json).map((item) => item.path_with_namespace)).toEqual(['acme/library']);
  expect(own.json).toEqual([]);
});

test.each([
  ['/projects?pagination=keyset&order_by=name', 'keyset_bad_order'],
  ['/projects?page=501&per_page=100', 'offset_too_deep'],
  ['/projects?min_access_level=7', 'bad_parameter'],
  ['/projects?updated_after=2026-01-01T00:00:00Z&order_by=id', 'updated_after_without_order'],
  ['/projects/999999', 'project_not_found'],
  ['/nothing', 'unknown_route'],
])('%s is refused with %s', async (path, id) => {
  const { status, json } = await api(path);
  expect({ status, body: json }).toEqual(errorCase(id));
});

test.each(['order_by=size', 'sort=up', 'membership=maybe', 'id_after=x'])(
  '%s is an invalid value',
  async (query) => {
    const { status, json } = await api(`/projects?${query}`);
    expect(status).toBe(400);
    expect(z.object({ error: z.string() }).parse(json).error).toMatch(
      /^\w+ (is invalid|does not have a valid value)$/,
    );
  },
);

test('offset pages have totals and links', async () => {
  const page = await api('/projects?membership=true&per_page=5&page=2');
  const total = started.simulator.recipes.length;
  expect(Items.parse(page.json)).toHaveLength(5);
  expect(page.headers.get('x-total')).toBe(String(total));
  expect(page.headers.get('x-next-page')).toBe('3');
  expect(page.headers.get('link')).toMatch(/rel="prev".*rel="next".*rel="first".*rel="last"/);
});

test('a page holds 20 by default, and never more than 100', async () => {
  const fleet = await startSimulator({ recipes: fleetRecipes(120) });
  try {
    const { token: other } = fleet.simulator.control.createToken({});
    const sizes = await Promise.all(
      ['', '?per_page=1000'].map(async (query) => {
        const { json } = await call({
          simulator: fleet.simulator,
          path: `/api/v4/projects${query}`,
          token: other,
        });
        return Items.parse(json).length;
      }),
    );
    expect(sizes).toEqual([20, 100]);
  } finally {
    await fleet.stop();
  }
});

test('the old path of a renamed project redirects, and the project keeps its id', async () => {
  const { control, url } = started.simulator;
  const { id } = control.project('to-be-renamed');
  control.renameProject(id, 'acme/new-name');
  const moved = await api('/projects/acme%2Fold-name');
  expect([moved.status, moved.headers.get('location')]).toEqual([301, `${url}/api/v4/projects/${id}`]);
  expect(moved.text).toBe(`This resource has been moved permanently to ${url}/api/v4/projects/${id}`);
  expect(moved.headers.get('content-type')).toBe('application/json');
  const write = await api('/projects/acme%2Fold-name', { method: 'DELETE' });
  expect({ status: write.status, body: write.json }).toEqual(errorCase('project_moved_write'));
  expect(Item.parse((await api(`/projects/${id}`)).json).path_with_namespace).toBe('acme/new-name');
});

test('a branch shows its commit, and a missing branch is not found', async () => {
  const branch = await api(
    '/projects/acme%2FUnicode.proj_1-x/repository/branches/feature%2F%C3%BCn%C3%AF%231',
  );
  const head = await started.simulator.control.head('unicode');
  expect(branch.json).toMatchObject({
    default: true,
    commit: { id: head, author_name: 'Jörg Müßig', title: 'Anfang' },
  });
  const missing = await api('/projects/acme%2Ffresh/repository/branches/main');
  expect([missing.status, missing.json]).toEqual([404, { message: '404 Branch Not Found' }]);
});

test('the sixth archive of a project in a minute is refused', async () => {
  const statuses = [];
  for (let turn = 0; turn < 6; turn += 1)
    statuses.push((await api('/projects/15/repository/archive.tar.gz')).status);
  expect(statuses).toEqual([200, 200, 200, 200, 200, 429]);
});

test('every answer of the API has the headers that GitLab support asks for', async () => {
  const { headers } = await api('/version');
  expect(headers.get('x-request-id')).toMatch(/^[0-9A-Z]{26}$/);
  expect(headers.get('x-gitlab-meta')).toContain('"version":"1"');
  expect(headers.get('ratelimit-limit')).toBe('2000');
});

test('limits are enforced only on request, and each limiter has its own answer', async () => {
  const limited = await startSimulator({ recipes: fleetRecipes(1), enforceRateLimits: true });
  try {
    const { simulator } = limited;
    const { token: other } = simulator.control.createToken({});
    const get = (path: string) => call({ simulator, path: `/api/v4${path}`, token: other });
    const last = async (path: string, count: number) => {
      for (let turn = 1; turn < count; turn += 1) await get(path);
      return get(path);
    };
    const application = await last('/projects/15', 401);
    expect({ status: application.status, body: application.json }).toEqual(
      errorCase('throttled_application'),
    );
    expect(application.headers.get('retry-after')).toBe('60');
    const general = await last('/version', 1600);
    expect([general.status, general.text]).toEqual([429, 'Retry later\n']);
    expect(Number(general.headers.get('retry-after'))).toBeGreaterThan(0);
    simulator.control.setClock(61_000);
    expect((await get('/version')).status).toBe(200);
  } finally {
    await limited.stop();
  }
});

test('GraphQL returns the head commits, and nothing for an invalid token', async () => {
  const getSelf = (secret: string) =>
    call({
      simulator: started.simulator,
      path: '/api/graphql',
      method: 'POST',
      token: secret,
      body: '{"query":"{}"}',
    });
  const good = await getSelf(token);
  const head = await started.simulator.control.head('shop');
  const Answer = z.object({ data: z.object({ projects: z.object({ nodes: z.array(z.unknown()) }) }) });
  expect(Answer.parse(good.json).data.projects.nodes[0]).toMatchObject({
    id: 'gid://gitlab/Project/15',
    repository: { rootRef: 'main', tree: { lastCommit: { sha: head } } },
  });
  const bad = await getSelf('wrong');
  expect([bad.status, bad.json]).toEqual([401, { errors: [{ message: 'Invalid token' }] }]);
});
