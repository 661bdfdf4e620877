import { api, ask } from '../../../api/api.ts';
import { say } from '../../../parts/toast.ts';
import { useSettled } from '../use-verify.ts';

type Patch = Parameters<(typeof api.integrations)[':id']['$patch']>[0]['json'];

/** Changes an integration; what is shown follows from the answer. */
export function usePatch(id: string) {
  const settle = useSettled();
  return async (json: Patch) => {
    settle(await ask(api.integrations[':id'].$patch({ param: { id }, json })));
    say('Saved.');
  };
}
