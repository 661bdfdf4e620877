import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { SecuError } from '../../src/domain/errors.ts';
import { readProtectedBranches } from '../../src/gitlab/branches.ts';
import { createPageReader } from '../../src/gitlab/page-reader.ts';
import type { ListingPage } from '../../src/gitlab/project-pages.ts';
import { LISTING_PAGE, pageOf, readItems } from '../../src/gitlab/project-pages.ts';
import { CurrentUser, SelfToken } from '../../src/gitlab/schemas.ts';

type Item = Record<string, unknown>;

function fixture(name: string): Record<string, Item> {
  const file = join(import.meta.dirname, '../../simulator/data', `${name}.json`);
  return JSON.parse(readFileSync(file, 'utf8')) as Record<string, Item>;
}

const real = Object.values(fixture('projects_list_items')).filter((item) => 'path_with_namespace' in item);
/** Real items of GitLab with their own ascending IDs. */
const projects = real.map((item, index): Item => ({ ...item, id: (index + 1) * 10 }));
const FIRST_PAGE = { idAfter: null, perPage: LISTING_PAGE };
const listed = (items: readonly unknown[]) => readItems(items, FIRST_PAGE);
const idsOf = ({ repositories }: ListingPage) => repositories.map(({ gitlabProjectId }) => gitlabProjectId);

const oddValue = fc.oneof(
  fc.constantFrom(null, '', 0, -1, true, [], {}, 'not a date', '0000-00-00', '+275760-09-13T00:00:00Z'),
  fc.constant('x'.repeat(100_000)),
  fc.constant(['nested', { deep: [1] }]),
  fc.jsonValue(),
);
const oddField = { missing: fc.boolean(), value: oddValue };

function mutated(item: Item, field: string, odd: { missing: boolean; value: unknown }): Item {
  const { [field]: _dropped, ...rest } = item;
  return odd.missing ? rest : { ...rest, [field]: odd.value };
}

describe('a page of projects', () => {
  test('lists a repeated ID once, with its last readable item', () => {
    const items = [1, 2, 3, 4, 4, 5, 6].map((id, index) => ({
      ...projects[0],
      id,
      path_with_namespace: `a/${index}`,
    }));
    const page = listed(items);
    expect(idsOf(page)).toEqual([1, 2, 3, 4, 5, 6]);
    expect(page.repositories[3]?.fullPath).toBe('a/4');
    expect(idsOf(listed([...items.slice(0, 4), { id: 4 }]))).toEqual([1, 2, 3, 4]);
  });

  test.each([
    ['within a page', [1, 2, 3, 2], null],
    ['behind its cursor', [4, 5], 7],
  ])('with descending IDs %s is refused', (_where, ids, idAfter) => {
    const items = ids.map((id) => ({ ...projects[0], id }));
    expect(() => readItems(items, { idAfter, perPage: LISTING_PAGE })).toThrow('ascending order');
  });

  test('that only repeats its cursor is refused, because the listing would not advance', () => {
    expect(() => readItems([{ ...projects[0], id: 7 }], { idAfter: 7, perPage: 100 })).toThrow('go forward');
  });

  test.each([
    ['last_activity_at', ''],
    ['namespace', {}],
    ['marked_for_deletion_on', ''],
    ['marked_for_deletion_at', 'soon'],
    ['path_with_namespace', '../etc'],
    ['empty_repo', 'yes'],
  ])('names the project with an invalid %s and the field, and lists the others', (field, value) => {
    const items = projects.map((item, index) => (index === 2 ? { ...item, [field]: value } : item));
    const page = listed(items);
    expect(idsOf(page)).toEqual(projects.map(({ id }) => id).filter((id) => id !== 30));
    const odd = page.entries.find(({ gitlabProjectId }) => gitlabProjectId === 30);
    expect(odd?.unreadable?.problem).toBe('unexpected_shape');
    expect(odd?.unreadable?.field).toContain(field);
  });

  test('lists all other items unchanged if one field of one item is invalid', () => {
    const fields = [...new Set(projects.flatMap((item) => Object.keys(item)))];
    const before = listed(projects);
    const index = fc.integer({ min: 0, max: projects.length - 1 });
    fc.assert(
      fc.property(index, fc.constantFrom(...fields), fc.record(oddField), (at, field, odd) => {
        const original = projects[at] as Item;
        const items: unknown[] = projects.map((item, i) => (i === at ? mutated(item, field, odd) : item));
        // a changed ID is another project, so it is not an invalid field
        const id = (items[at] as Item)['id'];
        fc.pre(!(typeof id === 'number' && Number.isInteger(id) && id > 0 && id !== original['id']));
        const page = listed(items);
        const others = ({ repositories }: ListingPage) =>
          repositories.filter(({ gitlabProjectId }) => gitlabProjectId !== original['id']);
        expect(others(page)).toEqual(others(before));
        expect(page.lastId).toBe(at === projects.length - 1 && field === 'id' ? page.lastId : before.lastId);
        expect(page.repositories.length + page.entries.filter((entry) => entry.unreadable).length).toBe(
          page.entries.length,
        );
      }),
      { seed: 1_407, numRuns: 2_000 },
    );
  });

  test.each(['scheduled', 'started', 'finished', 'failed', 'none'])(
    'does not call a mirror or an import empty unless GitLab does: import status %s',
    (status) => {
      const item = { ...projects[0], mirror: true, import_status: status, empty_repo: false };
      expect(listed([item]).repositories[0]).toMatchObject({ empty: false });
      expect(listed([{ ...item, empty_repo: true }]).repositories[0]).toMatchObject({ empty: true });
    },
  );

  test('marks where an item has no readable ID, so that no known repository there counts as missing', () => {
    const [first, second, third] = projects as [Item, Item, Item];
    const inside = listed([first, { ...second, id: 'x' }, third]);
    expect(inside.entries.map(({ followsUnidentified }) => followsUnidentified)).toEqual([false, true]);
    const atEnd = readItems([{ id: null }], { idAfter: 30, perPage: 100 });
    expect(atEnd).toMatchObject({ entries: [], lastId: null, endsUnidentified: true });
    // the item is the first one of the next page again
    expect(listed([first, { id: null }])).toMatchObject({ lastId: 10, endsUnidentified: false });
  });
});

describe('an answer about the token', () => {
  test.each(Object.entries(fixture('token_self')))(
    'keeps its other facts if this field is invalid: %s',
    (_name, item) => {
      const before = SelfToken.parse(item);
      const knows: Record<string, keyof typeof before> = {
        id: 'gitlabTokenId',
        name: 'name',
        scopes: 'scopes',
        expires_at: 'expiry',
        created_at: 'createdAt',
        last_used_at: 'lastUsedAt',
        granular: 'granular',
      };
      fc.assert(
        fc.property(fc.constantFrom(...Object.keys(item)), fc.record(oddField), (field, odd) => {
          const parsed = SelfToken.safeParse(mutated(item, field, odd));
          expect(parsed.success).toBe(true);
          // the permissions of a token are derived from these
          const derived = new Set<string>(['mayRotate', 'granular', knows[field] ?? '']);
          for (const fact of Object.keys(before) as (keyof typeof before)[])
            if (!derived.has(fact) || (fact !== knows[field] && !/scopes|granular/.test(field)))
              expect(parsed.data?.[fact]).toEqual(before[fact]);
        }),
        { seed: 1_408, numRuns: 500 },
      );
    },
  );

  test.each(Object.entries(fixture('current_user_200')))(
    'keeps the owner if this other field is invalid: %s',
    (_name, item) => {
      const before = CurrentUser.parse(item);
      fc.assert(
        fc.property(fc.constantFrom(...Object.keys(item)), fc.record(oddField), (field, odd) => {
          if (field === 'username') return;
          const parsed = CurrentUser.safeParse(mutated(item, field, odd));
          expect(parsed.data?.username).toBe(before.username);
        }),
        { seed: 1_409, numRuns: 300 },
      );
    },
  );
});

describe('a page that GitLab cannot serve', () => {
  const serverError = () =>
    new SecuError('gitlab_unreachable', 'GET projects answered 500', {
      details: { problem: 'server_error' },
    });

  /**
   * A fake GitLab with these projects. Every page with a broken one answers 500. `honorsIdBefore` false: it ignores
   * that parameter. From request `downAfter` on, nothing is served.
   */
  function gitlabWith(
    ids: readonly number[],
    broken: ReadonlySet<number>,
    options: { honorsIdBefore?: boolean; downAfter?: number } = {},
  ) {
    const { honorsIdBefore = true, downAfter = Number.POSITIVE_INFINITY } = options;
    const observed = { requests: 0 };
    const page = (chosen: readonly number[]): ListingPage => {
      observed.requests += 1;
      if (observed.requests > downAfter || chosen.some((id) => broken.has(id))) throw serverError();
      return readItems(
        chosen.map((id) => ({ ...projects[0], id })),
        FIRST_PAGE,
      );
    };
    const reader = createPageReader(() => ({
      requestPage: async ({ idAfter, idBefore, perPage }) => {
        const before = honorsIdBefore ? (idBefore ?? Number.POSITIVE_INFINITY) : Number.POSITIVE_INFINITY;
        return page(ids.filter((id) => id > (idAfter ?? 0) && id < before).slice(0, perPage));
      },
      requestLast: async () => page(ids.slice(-1)),
      requestProject: async (id) => page(ids.filter((listed) => listed === id)),
      isAlive: async () => true,
    }));
    return { seen: observed, reader, down: () => observed.requests > downAfter };
  }

  async function readAll(reader: ReturnType<typeof createPageReader>) {
    const entries = [];
    for (let idAfter: number | null = null; ; ) {
      const page: ListingPage = await reader({ idAfter });
      entries.push(...page.entries);
      if (page.lastId === null) return pageOf(entries);
      idAfter = page.lastId;
    }
  }

  /** True if the project is named, or in a gap that the listing marks as unknown. */
  const isKept = ({ entries }: ListingPage, id: number) =>
    entries.some((entry) => entry.gitlabProjectId === id) ||
    entries.find((entry) => entry.gitlabProjectId > id)?.followsUnidentified === true;

  const range = (count: number, step = 1) => Array.from({ length: count }, (_, index) => (index + 1) * step);

  test.each([
    ['one in the middle', range(30), [12]],
    ['the first one', range(30), [1]],
    ['two neighbours', range(30), [12, 13]],
    ['ids with wide gaps', range(30, 1_000_003), [12 * 1_000_003]],
    ['several pages', range(350), [99, 100, 101, 340]],
  ])(
    'is split until the broken project is named, and the others are listed: %s',
    async (_what, ids, broken) => {
      const { seen, reader } = gitlabWith(ids, new Set(broken));
      const all = await readAll(reader);
      expect(idsOf(all)).toEqual(ids.filter((id) => !broken.includes(id)));
      expect(all.entries.flatMap(({ unreadable }) => unreadable ?? [])).toEqual(
        broken.map((gitlabProjectId) => ({ gitlabProjectId, problem: 'server_error', field: null })),
      );
      expect(seen.requests).toBeLessThan(150);
    },
  );

  test.each([30, 150])(
    'names the last of %d projects if the first one shows that GitLab serves others',
    async (count) => {
      const { reader } = gitlabWith(range(count), new Set([count]));
      expect(idsOf(await readAll(reader))).toEqual(range(count - 1));
    },
  );

  test('is an outage if nothing else is served either, and costs few requests', async () => {
    const { seen, reader } = gitlabWith(range(30), new Set(range(30)));
    await expect(reader({ idAfter: null })).rejects.toMatchObject({ code: 'gitlab_unreachable' });
    expect(seen.requests).toBeLessThanOrEqual(3);
  });

  test('fails with its own problem if too many projects are broken', async () => {
    const { reader, seen } = gitlabWith(range(400), new Set(range(150, 2)));
    await expect(readAll(reader)).rejects.toMatchObject({
      code: 'gitlab_reply_unreadable',
      details: { problem: 'too_many_unreadable' },
    });
    expect(seen.requests).toBeLessThan(2_000);
  });

  test.each([
    ['one after another', range(200, 1_000), [100_000, 101_000, 102_000, 103_000]],
    ['in turn with others', range(40, 50), [500, 600, 700, 800, 900]],
    ['with uneven gaps', [1, 2, 10, 11, 12, 14, 15, 900, 901, 5_000, 5_001], [10, 14, 900, 5_000]],
  ])('names every broken project and lists all others: %s', async (_what, ids, broken) => {
    const { reader } = gitlabWith(ids, new Set(broken));
    const all = await readAll(reader);
    expect(idsOf(all)).toEqual(ids.filter((id) => !broken.includes(id)));
    expect(
      all.entries.filter(({ unreadable }) => unreadable).map(({ gitlabProjectId }) => gitlabProjectId),
    ).toEqual(broken);
    expect(all.entries.every(({ followsUnidentified }) => !followsUnidentified)).toBe(true);
  });

  test('an outage during the search names no project', async () => {
    const { reader, down } = gitlabWith(range(30), new Set([12]), { downAfter: 12 });
    await expect(readAll(reader)).rejects.toMatchObject({ code: 'gitlab_unreachable' });
    expect(down()).toBe(true);
  });

  test.each([
    ['one in the middle', range(30), [12]],
    ['two neighbours', range(30), [12, 13]],
    ['wide gaps', range(30, 1_000_003), [12 * 1_000_003]],
  ])(
    'where GitLab ignores `id_before`, the broken project is kept and all others are listed: %s',
    async (_what, ids, broken) => {
      const { reader } = gitlabWith(ids, new Set(broken), { honorsIdBefore: false });
      const all = await readAll(reader);
      expect(idsOf(all)).toEqual(ids.filter((id) => !broken.includes(id)));
      for (const id of broken) expect(isKept(all, id)).toBe(true);
    },
  );

  test('names exactly the broken projects and lists all others, for any broken ones', async () => {
    const sparse = fc.uniqueArray(fc.integer({ min: 1, max: 100_000 }), { minLength: 2, maxLength: 80 });
    await fc.assert(
      fc.asyncProperty(sparse, fc.infiniteStream(fc.boolean()), async (chosen, isBroken) => {
        const ids = chosen.toSorted((a, b) => a - b);
        const broken = ids.slice(0, -1).filter(() => isBroken.next().value === true);
        const { reader } = gitlabWith(ids, new Set(broken));
        const all = await readAll(reader);
        expect(idsOf(all)).toEqual(ids.filter((id) => !broken.includes(id)));
        const named = all.entries.filter(({ unreadable }) => unreadable !== null);
        expect(named.map(({ gitlabProjectId }) => gitlabProjectId)).toEqual(broken);
      }),
      { seed: 1_410, numRuns: 60 },
    );
  });
});

describe('protected branches', () => {
  const page = (items: readonly unknown[]) => async () => items;

  test.each<[string, unknown]>([
    ['a name of another type', { name: 5, protected: true }],
    ['no name', { protected: true }],
    ['no word about its protection', { name: 'b' }],
    ['another type of protection', { name: 'b', protected: 'yes' }],
  ])('of which one has %s are not all of them', async (_what, odd) => {
    const items = [{ name: 'a', protected: true }, { name: 'c', protected: false }, odd];
    expect(await readProtectedBranches(page(items))).toEqual({ names: new Set(['a']), isComplete: false });
  });

  test('that are all readable are complete', async () => {
    const items = [
      { name: 'a', protected: true },
      { name: 'c', protected: false },
    ];
    expect(await readProtectedBranches(page(items))).toEqual({ names: new Set(['a']), isComplete: true });
  });

  test('of a project with more branches than are read are not all of them', async () => {
    const items = Array.from({ length: 100 }, (_, index) => ({ name: `b${index}`, protected: false }));
    let pages = 0;
    const readPage = async () => {
      pages += 1;
      return items;
    };
    expect((await readProtectedBranches(readPage)).isComplete).toBe(false);
    expect(pages).toBe(50);
  });
});
