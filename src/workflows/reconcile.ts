import { reconciliation } from './proxies.ts';

/**
 * Repairs differences between rows and workflows. A Schedule starts it, and so does each orchestration worker at
 * its start.
 */
export async function reconcileWorkflow(): Promise<void> {
  await reconciliation().reconcile({ nowMs: Date.now() });
}
