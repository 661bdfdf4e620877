import { reconciliation } from './proxies.ts';

/** Repairs drift between rows and workflows; started by a Schedule and by every orchestration worker that starts. */
export async function reconcileWorkflow(): Promise<void> {
  await reconciliation().reconcile({ nowMs: Date.now() });
}
