import { Text } from '@mantine/core';
import { useQueryClient } from '@tanstack/react-query';
import { useNavigate } from '@tanstack/react-router';
import { api, request } from '../../../api/api.ts';
import { queryKeys } from '../../../api/query-keys.ts';
import { formatCount } from '../../../format/labels.ts';
import { Confirm } from '../../../parts/confirm.tsx';
import { showToast } from '../../../parts/toast.ts';
import type { DialogProps } from './dialog-props.ts';

export function RemoveDialog({ integration: { id, name, counts }, onClose }: DialogProps) {
  const client = useQueryClient();
  const navigate = useNavigate();
  const repositories = counts.repositories + counts.excluded + counts.missing;
  const remove = async () => {
    await request(api.integrations[':id'].$delete({ param: { id } }));
    showToast(`Integration ${name} removed.`);
    await navigate({ to: '/integrations' });
    client.removeQueries({ queryKey: queryKeys.integration(id) });
    for (const queryKey of [
      queryKeys.integrations,
      queryKeys.overview,
      queryKeys.repositorySearches,
      queryKeys.summaries,
    ])
      void client.invalidateQueries({ queryKey });
  };
  return (
    <Confirm
      title={`Remove ${name}?`}
      phrase={name}
      action="Remove integration"
      onConfirm={remove}
      onClose={onClose}
    >
      <Text size="sm">
        Scanning stops. Secu deletes the stored token,{' '}
        {formatCount(repositories, 'repository', 'repositories')} and{' '}
        {formatCount(counts.openFindings, 'open finding')}.
      </Text>
      <Text size="sm" mt="sm">
        The token stays valid in GitLab. Revoke it there if you no longer need it.
      </Text>
    </Confirm>
  );
}
