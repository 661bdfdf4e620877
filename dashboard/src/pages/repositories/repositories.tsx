import { useQuery, useQueryClient } from '@tanstack/react-query';
import { getRouteApi } from '@tanstack/react-router';
import { integrationCountsQuery } from '../../api/integration-names.ts';
import { Page } from '../../parts/page.tsx';
import { IntegrationSelect } from '../findings/filter-bar.tsx';
import { RepositoryTable } from './repository-table.tsx';

const route = getRouteApi('/shell/repositories');

/** What is covered, and what is not. */
export default function Repositories() {
  const { integration, ...search } = route.useSearch();
  const navigate = route.useNavigate();
  const client = useQueryClient();
  const { data: counts } = useQuery(integrationCountsQuery(integration));
  const go = (next: Record<string, string>) => {
    // a filter that is applied anew shows what there is now
    client.removeQueries({ queryKey: ['repository-list'], type: 'inactive' });
    void navigate({ search: next, replace: true, resetScroll: false });
  };
  const own = integration === undefined ? {} : { integration };
  return (
    <Page title="Repositories">
      <RepositoryTable
        integrationId={integration}
        search={search}
        onSearch={(next) => go({ ...next, ...own })}
        stateCounts={counts ?? {}}
        narrowed={integration !== undefined}
        onClear={() => go({})}
        above={200}
      >
        <IntegrationSelect
          value={integration}
          onChange={(id) => go({ ...search, ...(id === '' ? {} : { integration: id }) })}
        />
      </RepositoryTable>
    </Page>
  );
}
