import { useQuery, useQueryClient } from '@tanstack/react-query';
import { getRouteApi } from '@tanstack/react-router';
import { integrationCountsQuery } from '../../api/integration-names.ts';
import { Page } from '../../parts/page.tsx';
import { IntegrationSelect } from '../findings/filter-bar.tsx';
import { RepositoryTable } from './repository-table.tsx';

const route = getRouteApi('/shell/repositories');

/** All repositories, covered or not. */
export default function Repositories() {
  const { integration, ...search } = route.useSearch();
  const navigate = route.useNavigate();
  const client = useQueryClient();
  const { data: counts } = useQuery(integrationCountsQuery(integration));
  const applySearch = (next: Record<string, string>) => {
    // drop cached lists, so that a new filter shows current data
    client.removeQueries({ queryKey: ['repository-list'], type: 'inactive' });
    void navigate({ search: next, replace: true, resetScroll: false });
  };
  const integrationFilter = integration === undefined ? {} : { integration };
  return (
    <Page title="Repositories">
      <RepositoryTable
        integrationId={integration}
        search={search}
        onSearch={(next) => applySearch({ ...next, ...integrationFilter })}
        stateCounts={counts ?? {}}
        isFiltered={integration !== undefined}
        onClear={() => applySearch({})}
        above={200}
      >
        <IntegrationSelect
          value={integration}
          onChange={(id) => applySearch({ ...search, ...(id === '' ? {} : { integration: id }) })}
        />
      </RepositoryTable>
    </Page>
  );
}
