import type { Simulator } from '../simulator/index.ts';
import { createSimulator, fleetRecipes } from '../simulator/index.ts';

/** A simulated GitLab in a process of its own; it tells its address, and counts when it is asked. */
export interface GitlabInput {
  folder: string;
  /** Projects of one small history. */
  copies: number;
  widestGap: number;
  latencyMs: number;
  enforceRateLimits: boolean;
}

export interface GitlabAnswer {
  url: string;
  token: string;
  /** Answers by status since the last question. */
  statuses: Record<string, number>;
}

let simulator: Simulator | null = null;
let token = '';

process.on('message', (input: GitlabInput | 'counts') => void answer(input));
process.on('disconnect', () => void simulator?.close().then(() => process.exit(0)));

async function answer(input: GitlabInput | 'counts'): Promise<void> {
  if (input !== 'counts') await begin(input);
  if (simulator === null) throw new Error('not begun');
  const { requests } = simulator.control;
  const statuses: Record<string, number> = {};
  for (const { status } of requests.list()) statuses[String(status)] = (statuses[String(status)] ?? 0) + 1;
  requests.reset();
  process.send?.({ url: simulator.url, token, statuses } satisfies GitlabAnswer);
}

async function begin({ copies, widestGap, ...options }: GitlabInput): Promise<void> {
  simulator = await createSimulator({ ...options, recipes: [] });
  const [recipe] = fleetRecipes(1);
  if (recipe === undefined) throw new Error('no recipe');
  await simulator.control.addCopies({ recipe, count: copies, widestGap });
  const { id: userId } = simulator.control.createUser({ kind: 'service_account' });
  ({ token } = simulator.control.createToken({ userId }));
}
