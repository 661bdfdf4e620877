import { isSecuError, SecuError } from '../../domain/errors.ts';
import type { Explanation } from '../../domain/explain.ts';
import { explainKnown, explainLocated, explainUnlisted } from '../../domain/explain.ts';
import { classifierFor } from '../../domain/repository.ts';
import type { ApiDeps } from '../deps.ts';
import type { z } from '../shared.ts';
import { found } from '../shared.ts';
import { mergeFilters } from './change.ts';
import type { FiltersPreviewSchema, IntegrationPatch } from './schemas.ts';

/**
* Explains why a repository is listed or not: from the database if it is known there, else by asking GitLab.
 * @throws SecuError `not_found` | `token_*` | `account_blocked` | `gitlab_*`
 */
export async function explainPath(input: { deps: ApiDeps; id: string; path: string }): Promise<Explanation> {
  const { deps, id, path } = input;
  const { stores } = deps.database;
  const integration = found(await stores.integrations.find(id), 'integration');
  const known = explainKnown(await stores.repositories.findByPath({ integrationId: id, path }));
  if (known !== null) return known;
  if (integration.cause === 'token_scope_missing') return explainUnlisted(path, 'token_scope_missing');
  if (integration.lastSyncAt === null) return explainUnlisted(path, 'not_synced_yet');
  try {
    const located = await deps.locate({ integrationId: id, path });
    const moved = located.kind === 'visible' ? located.repository.fullPath : path;
    // GitLab answers a former path with the current one, which the database may know
    const row = await stores.repositories.findByPath({ integrationId: id, path: moved });
    return explainKnown(row) ?? explainLocated(path, located);
  } catch (err) {
    if (isSecuError(err, 'token_scope_missing')) return explainUnlisted(path, 'token_scope_missing');
    throw err;
  }
}

const PAGE = 5_000;
const SAMPLE = 50;

type Preview = z.infer<typeof FiltersPreviewSchema>;

/** What other filters would change in the last listing. Nothing is stored. */
export async function previewFilters(input: {
  deps: ApiDeps;
  id: string;
  filters: NonNullable<z.infer<typeof IntegrationPatch>['filters']>;
}): Promise<Preview> {
  const { deps, id } = input;
  const { stores } = deps.database;
  const integration = found(await stores.integrations.find(id), 'integration');
  const classify = classifierFor(mergeFilters(integration.filters, input.filters));
  const preview: Preview = { added: 0, removed: 0, sample: [] };
  for (let after = ''; ; ) {
    const rows = await stores.repositories.listedRows({ integrationId: id, after, limit: PAGE });
    for (const row of rows) {
      const isIn = classify(row).state !== 'excluded';
      const wasIn = row.state !== 'excluded';
      if (isIn === wasIn) continue;
      preview[isIn ? 'added' : 'removed'] += 1;
      if (preview.sample.length < SAMPLE)
        preview.sample.push({ path: row.fullPath, change: isIn ? 'added' : 'removed' });
    }
    const last = rows.at(-1);
    if (last === undefined || rows.length < PAGE) return preview;
    after = last.id;
  }
}

/** Cleans a pasted path: removes the base URL, leading and trailing slashes, and `.git`. */
export function repositoryPathOf(text: string): string {
  const path = (URL.canParse(text) ? decodeURI(new URL(text).pathname) : text)
    .trim()
    .replace(/^\/+/, '')
    .replace(/(\/-\/.*)?\/*$/, '')
    .replace(/\.git$/, '');
  if (!/^[^/\s]+(\/[^/\s]+)+$/.test(path) || path.split('/').includes('..'))
    throw new SecuError(
      'invalid_request',
      `"path" must be the path of a project, for example group/project`,
    );
  return path;
}
