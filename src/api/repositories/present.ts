import type { RepositoryView } from '../../db/stores/repositories.ts';
import { escapeForeignText, repositoryWebUrl } from '../../domain/finding.ts';
import { historyState } from '../../domain/history.ts';
import type { HistoryMode } from '../../domain/integration.ts';
import type { z } from '../shared.ts';
import { iso, isoOrNull } from '../shared.ts';
import type { RepositorySchema } from './schemas.ts';

type PresentedRepository = z.infer<typeof RepositorySchema>;

/** Presents repositories; `history` is the mode of integrations without one of their own. */
export function repositoryPresenter(settings: {
  history: HistoryMode;
}): (view: RepositoryView) => PresentedRepository {
  return (view) => presentRepository(view, settings.history);
}

function presentRepository(view: RepositoryView, defaultMode: HistoryMode): PresentedRepository {
  const { lastScan, open, history } = view;
  const { cause, refs } = history;
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
    history: {
      state: historyState({ mode: history.mode ?? defaultMode, cause, hasRefs: refs.length > 0 }),
      cause,
      readAt: isoOrNull(history.readAt),
      refs: refs.map(({ name, commit, scannedAt }) => ({
        name: escapeForeignText(name),
        commit,
        scannedAt: iso(new Date(scannedAt)),
      })),
    },
    counts: { open: open.critical + open.high + open.medium + open.low, ...open },
  };
}
