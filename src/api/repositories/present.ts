import type { RepositoryView } from '../../db/stores/repositories.ts';
import { escapeForeignText, repositoryWebUrl } from '../../domain/finding.ts';
import type { z } from '../shared.ts';
import { isoOrNull } from '../shared.ts';
import type { RepositorySchema } from './schemas.ts';

export function presentRepository(view: RepositoryView): z.infer<typeof RepositorySchema> {
  const { lastScan, open } = view;
  return {
    id: view.id,
    integrationId: view.integrationId,
    gitlabProjectId: view.gitlabProjectId,
    fullPath: escapeForeignText(view.fullPath),
    webUrl: repositoryWebUrl(view),
    defaultBranch: view.defaultBranch === null ? null : escapeForeignText(view.defaultBranch),
    visibility: escapeForeignText(view.visibility),
    state: view.state,
    excludedBecause: view.excludedBecause,
    lastActivityAt: isoOrNull(view.lastActivityAt),
    lastScan: lastScan === null ? null : { ...lastScan, finishedAt: isoOrNull(lastScan.finishedAt) },
    counts: { open: open.critical + open.high + open.medium + open.low, ...open },
  };
}
