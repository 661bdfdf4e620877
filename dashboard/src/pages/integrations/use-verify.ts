import { useMutation, useMutationState, useQueryClient } from '@tanstack/react-query';
import { api, askWhether, newIdempotencyKey } from '../../api/api.ts';
import { keys } from '../../api/query-keys.ts';
import { say, sayFailed } from '../../parts/toast.ts';
import type { Integration } from './data.ts';

const KEY = ['verify-integration'];

/** Verifies now, from whatever row or page; which ones are under way is the same everywhere. */
export function useVerify() {
  const settle = useSettled();
  const { mutate } = useMutation({
    mutationKey: KEY,
    mutationFn: (id: string) => askWhether(api.integrations[':id'].verify.$post({ param: { id } }, once())),
    onSuccess: ({ done, body }) => {
      settle(body);
      if (!done) say(`GitLab is slow. The verification of ${body.name} goes on; the page follows.`);
    },
    onError: sayFailed,
  });
  const running = useMutationState({
    filters: { mutationKey: KEY, status: 'pending' },
    select: ({ state }) => state.variables,
  });
  const isRunning = (id: string) => running.includes(id);
  return {
    isRunning,
    verify: (id: string) => {
      if (!isRunning(id)) mutate(id);
    },
  };
}

/** Headers of a request that must not happen twice. */
export function once() {
  return { headers: { 'Idempotency-Key': newIdempotencyKey() } };
}

/** Puts an integration as the server just gave it where it is shown, and makes old what follows from it. */
export function useSettled() {
  const client = useQueryClient();
  return (integration: Integration) => {
    client.setQueryData(keys.integration(integration.id), integration);
    void client.invalidateQueries({ queryKey: keys.integrations });
    void client.invalidateQueries({ queryKey: keys.overview });
  };
}
