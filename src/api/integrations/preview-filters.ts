import { setImmediate } from 'node:timers/promises';
import { classifierFor } from '../../domain/repository.ts';
import type { ApiDeps } from '../deps.ts';
import type { z } from '../shared.ts';
import { found } from '../shared.ts';
import { mergeFilters } from './patch.ts';
import type { FiltersPreviewSchema, IntegrationPatch } from './schemas.ts';

/** Small enough that other requests of this process wait for a few milliseconds only. */
const PAGE_SIZE = 500;
const MAX_SAMPLE = 50;

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
    const rows = await stores.repositories.listedRows({ integrationId: id, after, limit: PAGE_SIZE });
    for (const row of rows) {
      const isIn = classify(row).state !== 'excluded';
      const wasIn = row.state !== 'excluded';
      if (isIn === wasIn) continue;
      preview[isIn ? 'added' : 'removed'] += 1;
      if (preview.sample.length < MAX_SAMPLE)
        preview.sample.push({ path: row.fullPath, change: isIn ? 'added' : 'removed' });
    }
    await setImmediate();
    const last = rows.at(-1);
    if (last === undefined || rows.length < PAGE_SIZE) return preview;
    after = last.id;
  }
}
