import { useQuery, useQueryClient } from '@tanstack/react-query';
import { getRouteApi, useRouter } from '@tanstack/react-router';
import { useCallback, useMemo, useRef } from 'react';
import { queryKeys } from '../../api/query-keys.ts';
import { useHasRole } from '../../api/session.ts';
import { useRowCursor } from '../../keyboard/row-cursor.ts';
import { restartList } from '../../lists/list-pages.ts';
import { Page } from '../../parts/page.tsx';
import { FilterBar } from './filter-bar.tsx';
import type { FindingSearch } from './filters.ts';
import { toApiQuery, without } from './filters.ts';
import { summaryQuery } from './finding-data.ts';
import { FindingList } from './finding-list.tsx';
import { FindingPanel } from './finding-panel.tsx';
import classes from './findings.module.css';
import { TriageDialogs } from './triage-dialogs.tsx';
import { useFindingKeys } from './use-finding-keys.ts';
import { useFindingList } from './use-finding-list.ts';
import { useSelection } from './use-selection.ts';
import { useTriageFlow } from './use-triage-flow.ts';

const route = getRouteApi('/shell/findings');

/** List, filters and triage of findings. */
export default function Findings() {
  const search: FindingSearch = route.useSearch();
  const query = useMemo(() => toApiQuery(search), [search]);
  const { data: summary } = useQuery(summaryQuery(query));
  const findings = useFindingList(query);
  const ids = useMemo(() => findings.rows.map(({ id }) => id), [findings.rows]);
  const cursor = useRowCursor(ids);
  const selection = useSelection();
  const { open, close, apply } = useFindingNavigation(search);
  const mayTriage = useHasRole('operator');
  const total = summary?.total ?? null;
  const openRow = useCallback(
    (id: string) => {
      cursor.mark(id);
      open(id);
    },
    [cursor.mark, open],
  );
  const flow = useTriageFlow({ rows: findings.rows, total, query, cursor, selection, search, open: openRow });
  useFindingKeys({ rows: findings.rows, search, cursor, selection, mayTriage, flow, open: openRow, close });
  const applySearch = (next: FindingSearch) => {
    selection.clear();
    apply(next);
  };
  const isOpen = search.finding !== undefined;
  return (
    <Page title="Findings">
      <div className={classes['aside']} data-open={isOpen}>
        <FilterBar search={search} onSearch={applySearch} />
      </div>
      <div className={classes['split']} data-open={isOpen}>
        <div className={classes['list']}>
          <FindingList
            search={search}
            findings={findings}
            total={total}
            cursor={cursor.cursor}
            selection={selection}
            flow={mayTriage ? flow : null}
            onOpen={openRow}
            onClear={() => applySearch({})}
          />
        </div>
        {search.finding !== undefined && (
          <FindingPanel
            id={search.finding}
            onClose={close}
            onIgnore={mayTriage ? (finding, reason) => flow.triageOne(finding, { reason }) : null}
            onReopen={(finding) => flow.triageOne(finding, null)}
            onIgnoreMore={(finding) => flow.openDialog([finding])}
          />
        )}
      </div>
      <TriageDialogs flow={flow} />
    </Page>
  );
}

/** Opening a finding adds a history entry; moving to the next one replaces it. Back closes the panel, then leaves the list. */
function useFindingNavigation(search: FindingSearch) {
  const navigate = route.useNavigate();
  const router = useRouter();
  const client = useQueryClient();
  const hasPushed = useRef(false);
  const open = useCallback(
    (id: string) => {
      if (search.finding === undefined) hasPushed.current = true;
      void navigate({
        search: { ...search, finding: id },
        replace: search.finding !== undefined,
        resetScroll: false,
      });
    },
    [navigate, search],
  );
  const close = useCallback(() => {
    if (hasPushed.current) {
      hasPushed.current = false;
      return router.history.back();
    }
    void navigate({ search: without(search, ['finding']), replace: true, resetScroll: false });
  }, [navigate, router, search]);
  const apply = useCallback(
    (next: FindingSearch) => {
      void restartList(client, queryKeys.findings(toApiQuery(next)));
      void navigate({ search: { ...next }, replace: true, resetScroll: false });
    },
    [client, navigate],
  );
  return { open, close, apply };
}
