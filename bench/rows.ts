import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import pLimit from 'p-limit';
import pg from 'pg';
import { from as copyFrom } from 'pg-copy-streams';
import { newId } from '../src/db/new-id.ts';
import type { ClassifiedRepository } from '../src/db/stores/listing.ts';
import { openBenchWorld } from './world.ts';

export interface RowsInput {
  databaseUrl: string;
  count: number;
}

export interface RowsAnswer {
  /**
   * Pages of a hundred, seven in parallel, like the listing stores them: new rows first, then the same rows again.
   */
  ours: { insertMs: number; unchangedMs: number };
  /** One COPY into a second table, then one INSERT … ON CONFLICT from it. */
  copy: { insertMs: number; unchangedMs: number };
  rewritten: number;
}

const PAGE = 100;
const AT_ONCE = 7;

/**
 * Writes the same rows into the same table: once with Secu's code, once in the fastest way that PostgreSQL has.
 */
export async function measureRows({ databaseUrl, count }: RowsInput): Promise<RowsAnswer> {
  const world = await openBenchWorld({ databaseUrl, baseUrl: 'https://gitlab.com', perSecond: 10 });
  try {
    const [mine, theirs] = [
      await world.addIntegration({ baseUrl: 'https://gitlab.com', token: 'mine' }),
      await world.addIntegration({ baseUrl: 'https://gitlab.com', token: 'theirs' }),
    ];
    const rows = Array.from({ length: count }, (_, index) => rowOf(index));
    const copy = {
      insertMs: await timed(() => copyAll(databaseUrl, theirs, rows)),
      unchangedMs: await timed(() => copyAll(databaseUrl, theirs, rows)),
    };
    const insertMs = await timed(() => storePages(world.deps, mine, rows));
    await world.noteVersions();
    const unchangedMs = await timed(() => storePages(world.deps, mine, rows));
    return { copy, ours: { insertMs, unchangedMs }, rewritten: await world.rewritten() };
  } finally {
    await world.close();
  }
}

async function timed(work: () => Promise<void>): Promise<number> {
  const startedMs = performance.now();
  await work();
  return performance.now() - startedMs;
}

type Deps = Awaited<ReturnType<typeof openBenchWorld>>['deps'];

async function storePages({ database }: Deps, integrationId: string, rows: readonly ClassifiedRepository[]) {
  const limit = pLimit(AT_ONCE);
  const now = new Date();
  const pages = Array.from({ length: Math.ceil(rows.length / PAGE) }, (_, index) =>
    rows.slice(index * PAGE, (index + 1) * PAGE),
  );
  await Promise.all(
    pages.map((repositories) =>
      limit(() =>
        database.transaction(async (tx) => {
          await tx.listing.upsertPage({ integrationId, repositories, now });
          const listedIds = repositories.map(({ gitlabProjectId }) => gitlabProjectId);
          const [after, upTo] = [(listedIds[0] ?? 1) - 1, listedIds.at(-1) ?? null];
          await tx.listing.markMissed({ integrationId, syncId: 'syn_bench', after, upTo, listedIds });
        }),
      ),
    ),
  );
}

const COLUMNS = `id, integration_id, gitlab_project_id, full_path, default_branch, visibility, last_activity_at, empty, archived,
  fork, personal, pending_deletion, repository_disabled, state, missed_listings, open_critical, open_high, open_medium,
  open_low, created_at, updated_at`;

async function copyAll(
  url: string,
  integrationId: string,
  rows: readonly ClassifiedRepository[],
): Promise<void> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    await client.query('begin');
    await client.query('create temp table incoming (like repository including defaults) on commit drop');
    const lines = Readable.from(
      (function* () {
        for (const row of rows) yield lineOf(integrationId, row);
      })(),
    );
    await pipeline(lines, client.query(copyFrom(`copy incoming (${COLUMNS}) from stdin`)));
    await client.query(`insert into repository as r (${COLUMNS}) select ${COLUMNS} from incoming
      on conflict (integration_id, gitlab_project_id) do update set full_path = excluded.full_path,
        default_branch = excluded.default_branch, visibility = excluded.visibility, last_activity_at = excluded.last_activity_at,
        empty = excluded.empty, archived = excluded.archived, fork = excluded.fork, personal = excluded.personal,
        pending_deletion = excluded.pending_deletion, repository_disabled = excluded.repository_disabled,
        state = excluded.state, updated_at = excluded.updated_at`);
    await client.query('commit');
  } finally {
    await client.end();
  }
}

function lineOf(integrationId: string, row: ClassifiedRepository): string {
  const now = '2026-11-24T00:00:00Z';
  const flags = ['f', 'f', 'f', 'f', 'f', 'f'];
  return `${[newId('repository'), integrationId, row.gitlabProjectId, row.fullPath, 'main', row.visibility, row.lastActivityAt, ...flags, 'active', 0, 0, 0, 0, 0, now, now].join('\t')}\n`;
}

function rowOf(index: number): ClassifiedRepository {
  return {
    gitlabProjectId: index * 13 + 1,
    fullPath: `acme/team-${index % 97}/service-${index}`,
    defaultBranch: 'main',
    visibility: 'private',
    lastActivityAt: '2026-11-20T15:40:56Z',
    empty: false,
    archived: false,
    fork: false,
    personal: false,
    pendingDeletion: false,
    repositoryDisabled: false,
    state: 'active',
    excludedBecause: null,
  };
}
