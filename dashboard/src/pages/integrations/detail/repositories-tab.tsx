import { Text } from '@mantine/core';
import { useQueryClient } from '@tanstack/react-query';
import { getRouteApi, useNavigate } from '@tanstack/react-router';
import { Empty } from '../../../parts/states.tsx';
import { TextLink } from '../../../parts/text-link.tsx';
import type { RepositorySearch } from '../../repositories/repository-table.tsx';
import { RepositoryTable } from '../../repositories/repository-table.tsx';
import type { Integration } from '../data.ts';
import { Explain } from './explain.tsx';

const route = getRouteApi('/shell/integrations/$id');
/** Small, although the page above is long, so that the list is almost as high as the window. */
const ABOVE_PX = 160;

/** The repositories that the token can access, including excluded ones. */
export function RepositoriesTab({ integration }: { integration: Integration }) {
  const { state, q, sort } = route.useSearch();
  const navigate = useNavigate({ from: '/integrations/$id' });
  const client = useQueryClient();
  const { repositories, excluded, missing } = integration.counts;
  const applySearch = (next: RepositorySearch) => {
    // drop cached lists, so that a new filter shows current data
    client.removeQueries({ queryKey: ['repository-list'], type: 'inactive' });
    void navigate({
      search: ({ tab }) => ({ ...(tab !== undefined && { tab }), ...next }),
      replace: true,
      resetScroll: false,
    });
  };
  return (
    <>
      <Explain id={integration.id} />
      {repositories + excluded + missing === 0 ? (
        <NoRepositories integration={integration} />
      ) : (
        <RepositoryTable
          integrationId={integration.id}
          search={{
            ...(state !== undefined && { state }),
            ...(q !== undefined && { q }),
            ...(sort !== undefined && { sort }),
          }}
          onSearch={applySearch}
          stateCounts={{ excluded, missing }}
          above={ABOVE_PX}
        >
          <TextLink to="/repositories" search={{ integration: integration.id }}>
            Open full page
          </TextLink>
        </RepositoryTable>
      )}
    </>
  );
}

function NoRepositories({ integration }: { integration: Integration }) {
  if (integration.sync.lastCompletedAt === null)
    return (
      <Empty title="No repositories yet">
        <Text size="sm" c="dimmed">
          Repositories appear after the first sync.
        </Text>
      </Empty>
    );
  return (
    <Empty title="The token cannot access any repositories">
      <Text size="sm" c="dimmed">
        Invite the owner of the token to the groups to scan, with at least the Reporter role, then sync.
      </Text>
    </Empty>
  );
}
