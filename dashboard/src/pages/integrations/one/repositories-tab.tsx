import { Button, Text } from '@mantine/core';
import { keepPreviousData, useQuery } from '@tanstack/react-query';
import { getRouteApi, useNavigate } from '@tanstack/react-router';
import { api, ask } from '../../../api.ts';
import { keys } from '../../../keys.ts';
import { Chips } from '../../../parts/chips.tsx';
import { ProblemPanel } from '../../../parts/problem-panel.tsx';
import { SearchField } from '../../../parts/search-field.tsx';
import { Empty, LoadingRows } from '../../../parts/states.tsx';
import { TextLink } from '../../../parts/text-link.tsx';
import { listOf } from '../../../search-params.ts';
import type { Integration } from '../data.ts';
import classes from '../integrations.module.css';
import { Explain } from './explain.tsx';
import { RepositoryTable } from './repository-table.tsx';

const route = getRouteApi('/shell/integrations/$id');
const STATES = ['active', 'empty', 'excluded', 'missing'] as const;
const TEXTS = { active: 'Active', empty: 'Empty', excluded: 'Excluded', missing: 'Missing' };
const LIMIT = '100';

/** What the token reaches, and what of it is left out. */
export function RepositoriesTab({ integration }: { integration: Integration }) {
  const { state, q } = route.useSearch();
  const navigate = useNavigate({ from: '/integrations/$id' });
  const chosen = listOf(state, STATES);
  const isFiltered = chosen.length > 0 || q !== undefined;
  const filters = {
    state: (chosen.length === 0 ? STATES : chosen).join(','),
    ...(q !== undefined && { q }),
  };
  const list = useQuery({
    queryKey: keys.repositories({ integration: integration.id, ...filters }),
    queryFn: () =>
      ask(
        api.integrations[':id'].repositories.$get({
          param: { id: integration.id },
          query: { ...filters, limit: LIMIT },
        }),
      ),
    placeholderData: keepPreviousData,
  });
  const filter = (change: { state?: string; q?: string }) =>
    void navigate({ search: (now) => ({ ...now, ...change }), replace: true });
  const { excluded, missing } = integration.counts;
  const counts: Partial<Record<(typeof STATES)[number], number>> = { excluded, missing };
  return (
    <>
      <search className={classes['filters']}>
        <SearchField label="Search by path" value={q ?? ''} onSearch={(text) => filter({ q: text })} />
        <Chips
          label="State"
          options={STATES.map((value) => ({
            value,
            text: TEXTS[value],
            ...(counts[value] !== undefined && { count: counts[value] }),
          }))}
          chosen={chosen}
          onChange={(next) => filter({ state: STATES.filter((each) => next.includes(each)).join(',') })}
        />
        <Button variant="subtle" disabled={!isFiltered} onClick={() => filter({ state: '', q: '' })}>
          Clear
        </Button>
        <TextLink to="/repositories" search={{ integration: integration.id }}>
          All of them
        </TextLink>
      </search>
      <Explain id={integration.id} />
      {list.isError && <ProblemPanel error={list.error} onRetry={() => void list.refetch()} />}
      {list.isPending && <LoadingRows label="Loading the repositories" />}
      {list.data !== undefined &&
        (list.data.items.length === 0 ? (
          <NoRepositories integration={integration} isFiltered={isFiltered} />
        ) : (
          <RepositoryTable items={list.data.items} isOld={list.isPlaceholderData} />
        ))}
      {list.data !== undefined && list.data.nextCursor !== null && (
        <Text size="sm" c="dimmed" mt="md">
          The first {LIMIT} are shown. Search, or open all of them.
        </Text>
      )}
    </>
  );
}

function NoRepositories({ integration, isFiltered }: { integration: Integration; isFiltered: boolean }) {
  if (isFiltered) return <Empty title="No repository matches these filters." />;
  if (integration.sync.lastCompletedAt === null)
    return (
      <Empty title="Not listed yet.">
        <Text size="sm" c="dimmed">
          Repositories arrive here with the first sync.
        </Text>
      </Empty>
    );
  return (
    <Empty title="The token reaches no repository.">
      <Text size="sm" c="dimmed">
        Invite its owner to the groups to scan, as Reporter or higher, then sync.
      </Text>
    </Empty>
  );
}
