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
/** The page above the list is long: the list gets most of a window of its own to scroll in. */
const ABOVE_PX = 160;

/** What the token reaches, and what of it is left out. */
export function RepositoriesTab({ integration }: { integration: Integration }) {
  const { state, q, sort } = route.useSearch();
  const navigate = useNavigate({ from: '/integrations/$id' });
  const client = useQueryClient();
  const { repositories, excluded, missing } = integration.counts;
  const go = (next: RepositorySearch) => {
    // a filter that is applied anew shows what there is now
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
          onSearch={go}
          stateCounts={{ excluded, missing }}
          above={ABOVE_PX}
        >
          <TextLink to="/repositories" search={{ integration: integration.id }}>
            As a page
          </TextLink>
        </RepositoryTable>
      )}
    </>
  );
}

function NoRepositories({ integration }: { integration: Integration }) {
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
