import { Text } from '@mantine/core';
import { useQueryClient } from '@tanstack/react-query';
import { useNavigate } from '@tanstack/react-router';
import { api, ask } from '../../../api.ts';
import { keys } from '../../../keys.ts';
import { Confirm } from '../../../parts/confirm.tsx';
import { say } from '../../../toast.ts';
import { count } from '../../../words.ts';
import type { DialogProps } from './dialogs.tsx';

export function RemoveDialog({ integration: { id, name, counts }, onClose }: DialogProps) {
  const client = useQueryClient();
  const navigate = useNavigate();
  const repositories = counts.repositories + counts.excluded + counts.missing;
  const remove = async () => {
    await ask(api.integrations[':id'].$delete({ param: { id } }));
    say(`${name} was removed.`);
    await navigate({ to: '/integrations' });
    client.removeQueries({ queryKey: keys.integration(id) });
    for (const queryKey of [keys.integrations, keys.overview, keys.repositorySearches, keys.summaries])
      void client.invalidateQueries({ queryKey });
  };
  return (
    <Confirm
      title={`Remove ${name}?`}
      phrase={name}
      act="Remove integration"
      keep="Keep"
      onAct={remove}
      onClose={onClose}
    >
      <Text size="sm">
        Scanning stops, the sealed token is wiped, {count(repositories, 'repository', 'repositories')} and{' '}
        {count(counts.openFindings, 'open finding')} leave Secu.
      </Text>
      <Text size="sm" mt="sm">
        The token stays valid at GitLab; revoke it there.
      </Text>
    </Confirm>
  );
}
