import { Button } from '@mantine/core';
import { keepPreviousData, useQuery } from '@tanstack/react-query';
import { getRouteApi, useNavigate } from '@tanstack/react-router';
import { useHasRole } from '../../api/session.ts';
import { STATUS_LABELS } from '../../format/labels.ts';
import { useShortcuts } from '../../keyboard/hotkeys.ts';
import { parseList } from '../../lists/search-params.ts';
import { ButtonLink } from '../../parts/button-link.tsx';
import { Chips } from '../../parts/chips.tsx';
import { FirstUse } from '../../parts/first-use.tsx';
import { Page } from '../../parts/page.tsx';
import { ProblemPanel } from '../../parts/problem-panel.tsx';
import { SearchField } from '../../parts/search-field.tsx';
import { Empty, LoadingRows } from '../../parts/states.tsx';
import { integrationsQuery } from './data.ts';
import classes from './integrations.module.css';
import { IntegrationTable } from './list/integration-table.tsx';

const route = getRouteApi('/shell/integrations');
const STATUSES = ['pending', 'active', 'invalid', 'paused'] as const;

export default function Integrations() {
  const { status, q } = route.useSearch();
  const navigate = useNavigate({ from: '/integrations' });
  const chosen = parseList(status, STATUSES);
  const isFiltered = chosen.length > 0 || q !== undefined;
  const filters = { ...(chosen.length > 0 && { status: chosen.join(',') }), ...(q !== undefined && { q }) };
  const list = useQuery({ ...integrationsQuery(filters), placeholderData: keepPreviousData });
  const mayAdd = useHasRole('operator');
  useShortcuts({ n: () => void navigate({ to: '/integrations/new' }) }, mayAdd);
  const applyFilter = (change: { status?: string; q?: string }) =>
    void navigate({ search: (now) => ({ ...now, ...change }), replace: true });
  const isFirstUse = list.data?.items.length === 0 && !isFiltered;
  return (
    <Page title="Integrations" actions={mayAdd && !isFirstUse && <NewButton />}>
      {!isFirstUse && (
        <search className={classes['filters']}>
          <SearchField label="Search by name" value={q ?? ''} onSearch={(text) => applyFilter({ q: text })} />
          <Chips
            label="Status"
            options={STATUSES.map((value) => ({ value, text: STATUS_LABELS[value].text }))}
            selected={chosen}
            onChange={(next) =>
              applyFilter({ status: STATUSES.filter((each) => next.includes(each)).join(',') })
            }
          />
          <Button variant="subtle" disabled={!isFiltered} onClick={() => applyFilter({ status: '', q: '' })}>
            Clear filters
          </Button>
        </search>
      )}
      {list.isError && <ProblemPanel error={list.error} onRetry={() => void list.refetch()} />}
      {list.isPending && <LoadingRows label="Loading the integrations" />}
      {list.data !== undefined && (
        <Rows page={list.data} isFiltered={isFiltered} isStale={list.isPlaceholderData} />
      )}
    </Page>
  );
}

function NewButton() {
  return <ButtonLink to="/integrations/new">New integration</ButtonLink>;
}

function Rows({
  page,
  isFiltered,
  isStale,
}: {
  page: Parameters<typeof IntegrationTable>[0]['page'];
  isFiltered: boolean;
  isStale: boolean;
}) {
  if (page.items.length > 0) return <IntegrationTable page={page} isStale={isStale} />;
  if (isFiltered) return <Empty title="No integrations match these filters" />;
  return <FirstUse />;
}
