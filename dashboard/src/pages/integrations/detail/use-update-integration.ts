import { api, request } from '../../../api/api.ts';
import { showToast } from '../../../parts/toast.ts';
import { useCacheIntegration } from '../use-verify.ts';

type Patch = Parameters<(typeof api.integrations)[':id']['$patch']>[0]['json'];

/** Changes an integration; what is shown follows from the answer. */
export function useUpdateIntegration(id: string) {
  const settle = useCacheIntegration();
  return async (json: Patch) => {
    settle(await request(api.integrations[':id'].$patch({ param: { id }, json })));
    showToast('Saved.');
  };
}
