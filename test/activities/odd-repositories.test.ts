import { expect, test } from '@jest/globals';
import type { FaultAnswer } from '../../simulator/index.ts';
import type { GitlabClient } from '../../src/gitlab/client.ts';
import type { ListingPage } from '../../src/gitlab/project-pages.ts';
import { pageOf } from '../../src/gitlab/project-pages.ts';
import type { ListingStage } from './listing-support.ts';
import { repositoriesOf, sync, syncRow, withListedProjects } from './listing-support.ts';
import { activitiesOf, eventsOf, rowOf, run } from './support.ts';

async function verify({ world, activities, added }: ListingStage) {
  const { integrationId } = added;
  await run(activities, 'verifyToken', { integrationId, commandId: null, nowMs: Date.now() });
  return rowOf(world, 'integration', integrationId);
}

const gitOf = (name: string) => new RegExp(`/${name}\\.git/`);
const ANY_GIT = /\.git\//;
const git = (id: string): FaultAnswer => ({ kind: 'case', of: 'git', id });
const UNAVAILABLE: FaultAnswer = { kind: 'reply', status: 503, body: 'busy' };

test.each<[string, FaultAnswer]>([
  ['503 text', UNAVAILABLE],
  ['a gateway page', { kind: 'html', status: 502 }],
  ['404', git('no_repository')],
  ['a redirect', { kind: 'redirect', location: 'https://other.example.com/x' }],
  ['a closed connection', { kind: 'disconnect' }],
])(
  'one repository whose Git answers %s leaves the integration active, reachable and without a warning',
  (_what, answer) =>
    withListedProjects(3, async (on) => {
      on.control.faults.add({ match: { path: gitOf('fleet-00000') }, answer });
      expect(await verify(on)).toMatchObject({
        verdict: 'active',
        reachability: 'reachable',
        warnings: expect.not.arrayContaining(['nothing_clonable']),
      });
      expect((await sync(on.activities, on.added.integrationId)).queued).toBe(3);
    }),
);

test('Git failures for all repositories are an outage of GitLab', () =>
  withListedProjects(3, async (on) => {
    on.control.faults.add({ match: { path: ANY_GIT }, answer: UNAVAILABLE });
    expect(await verify(on)).toMatchObject({ verdict: 'active', reachability: 'unreachable' });
  }));

test('a GitLab with a single repository whose Git fails is reachable, because its API answers', () =>
  withListedProjects(1, async (on) => {
    on.control.faults.add({ match: { path: ANY_GIT }, answer: UNAVAILABLE });
    expect(await verify(on)).toMatchObject({ verdict: 'active', reachability: 'reachable' });
  }));

test.each([1, 3])('if Git refuses all of %d listed repositories, the integration reports it once', (count) =>
  withListedProjects(count, async (on) => {
    const { world, activities, added, control } = on;
    await sync(activities, added.integrationId);
    control.faults.add({ match: { path: ANY_GIT }, answer: git('no_repository') });
    expect(await verify(on)).toMatchObject({
      verdict: 'active',
      reachability: 'reachable',
      warnings: expect.arrayContaining(['nothing_clonable']),
    });
    for (const { id, scanId } of await world.db.query<{ id: string; scanId: string }>(
      `select repository_id as id, id as "scanId" from scan where status = 'queued'`,
    ))
      await run(activities, 'scanRepository', { ...added, repositoryId: id, scanId });
    const attention = await world.database.stores.overview.attention(new Date());
    expect(attention.map(({ kind }) => kind)).toEqual(['nothing_clonable']);

    control.faults.clear();
    expect((await verify(on))['warnings']).not.toContain('nothing_clonable');
  }),
);

/** A client that changes some entries of the listing. */
function listingWith(gitlab: GitlabClient, change: (page: ListingPage) => ListingPage): GitlabClient {
  return {
    forToken(input) {
      const api = gitlab.forToken(input);
      return {
        ...api,
        listProjectsPage: async (cursor) => change(await api.listProjectsPage(cursor)),
        lastProjects: async () => [],
      };
    },
  };
}

test('known repositories that become unreadable are named, keep their state, and are not removed', () =>
  withListedProjects(8, async ({ world, activities, added }) => {
    const { integrationId } = added;
    await sync(activities, integrationId);
    const rows = await repositoriesOf(world, integrationId);
    const odd = new Set([rows[2]?.project, rows[5]?.project]);
    const gitlab = listingWith(activities.deps.gitlab, (page) =>
      pageOf(
        page.entries.map((entry) => {
          const { gitlabProjectId } = entry;
          if (!odd.has(gitlabProjectId)) return entry;
          const unreadable = { gitlabProjectId, problem: 'unexpected_shape', field: 'namespace' } as const;
          return { ...entry, repository: null, unreadable };
        }),
      ),
    );
    const later = await activitiesOf(world, { gitlab });
    const synced = await sync(later, integrationId);
    expect(synced.listing).toMatchObject({ listed: 6, complete: true, gone: [], visible: [] });
    expect(synced.listing.unreadable.map(({ gitlabProjectId }) => gitlabProjectId)).toEqual([...odd]);
    expect((await repositoriesOf(world, integrationId)).map(({ state }) => state)).toEqual(
      rows.map(({ state }) => state),
    );
    expect(await syncRow(world, synced)).toMatchObject({
      state: 'done',
      unreadable: synced.listing.unreadable,
    });
    const finished = (await eventsOf(world, integrationId)).filter(({ kind }) => kind === 'sync.finished');
    expect(finished.at(-1)?.data['unreadable']).toEqual(synced.listing.unreadable);
    // the same result again publishes no event
    await sync(later, integrationId);
    expect(
      (await eventsOf(world, integrationId)).filter(({ kind }) => kind === 'sync.finished'),
    ).toHaveLength(finished.length);
  }));

test.each([
  ['on the only page', 30, [12]],
  ['at the end of the only page', 30, [30]],
  ['on the last page', 150, [145]],
  ['on several pages, far apart', 250, [3, 99, 101, 180, 249]],
])('projects that GitLab cannot serve are named, and all others are listed: %s', (_where, count, positions) =>
  withListedProjects(count, async ({ world, activities, added, control }) => {
    const ids = positions.map(
      (position) => control.project(`fleet-${String(position - 1).padStart(5, '0')}`).id,
    );
    control.setInstance({ brokenProjects: ids });
    const { listing } = await sync(activities, added.integrationId);
    expect(listing).toMatchObject({ listed: count - positions.length, complete: true, cause: null });
    expect(
      listing.unreadable.map(({ gitlabProjectId }) => gitlabProjectId).toSorted((a, b) => a - b),
    ).toEqual(ids);
    expect(await repositoriesOf(world, added.integrationId)).toHaveLength(count - positions.length);
  }),
);

test('more projects than Secu isolates make the listing incomplete, and nothing is removed', () =>
  withListedProjects(130, async ({ world, activities, added, control }) => {
    const { integrationId } = added;
    await sync(activities, integrationId);
    const rows = await repositoriesOf(world, integrationId);
    control.setInstance({ brokenProjects: rows.slice(10, 120).map(({ project }) => project) });
    const synced = await sync(activities, integrationId);
    expect(synced.listing).toMatchObject({ complete: false, cause: 'gitlab_reply_unreadable' });
    expect(synced.listing.unreadable).toHaveLength(100);
    expect(await syncRow(world, synced)).toMatchObject({ state: 'failed', cause: 'gitlab_reply_unreadable' });
    expect((await repositoriesOf(world, integrationId)).every(({ state }) => state === 'active')).toBe(true);
  }));

test('no known repository is removed where the listing has an item without a readable ID', () =>
  withListedProjects(8, async ({ world, activities, added }) => {
    const { integrationId } = added;
    await sync(activities, integrationId);
    const rows = await repositoriesOf(world, integrationId);
    const gitlab = listingWith(activities.deps.gitlab, (page) => {
      const entries = page.entries.filter(({ gitlabProjectId }) => gitlabProjectId !== rows[3]?.project);
      return pageOf(
        entries.map((entry) =>
          entry.gitlabProjectId === rows[4]?.project ? { ...entry, followsUnidentified: true } : entry,
        ),
      );
    });
    const synced = await sync(await activitiesOf(world, { gitlab }), integrationId);
    expect(synced.listing).toMatchObject({ complete: true, gone: [], visible: [] });
    expect((await repositoriesOf(world, integrationId)).every(({ state }) => state === 'active')).toBe(true);
  }));

test('a small integration whose listing is suddenly empty keeps everything until two more listings agree', () =>
  withListedProjects(8, async (on) => {
    const { world, activities, added, control } = on;
    const { integrationId } = added;
    await sync(activities, integrationId);
    const rows = await repositoriesOf(world, integrationId);
    for (const { path } of rows) control.removeProject(path);
    const states = async () => [
      ...new Set((await repositoriesOf(world, integrationId)).map(({ state }) => state)),
    ];
    for (let listing = 1; listing <= 2; listing += 1) {
      expect(await syncRow(world, await sync(activities, integrationId))).toMatchObject({
        state: 'waiting',
        cause: 'brake_engaged',
        removed: 0,
      });
      expect(await states()).toEqual(['active']);
    }
    await sync(activities, integrationId);
    expect(await states()).toEqual(['removed']);
  }));

test('the only repository of an integration is missing at first, and removed if a second listing agrees', () =>
  withListedProjects(1, async ({ world, activities, added, control }) => {
    const { integrationId } = added;
    await sync(activities, integrationId);
    const [only] = await repositoriesOf(world, integrationId);
    control.removeProject(only?.path ?? '');
    await sync(activities, integrationId);
    expect((await repositoriesOf(world, integrationId))[0]?.state).toBe('missing');
    await sync(activities, integrationId);
    expect((await repositoriesOf(world, integrationId))[0]?.state).toBe('removed');
  }));
