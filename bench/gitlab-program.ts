import type { Recipe, Simulator } from '../simulator/index.ts';
import { createSimulator, fleetRecipes } from '../simulator/index.ts';

/**
 * A simulated GitLab in its own process. It reports its address and, on request, the requests that it received.
 */
export interface GitlabInput {
  folder: string;
  /** Number of fleet repositories, each with its own history. */
  fleet: number;
  /** Number of projects that share one small history; gaps between their IDs are up to `maxGap`. */
  copies: number;
  maxGap: number;
  latencyMs: number;
  enforceRateLimits: boolean;
}

/** Adds a commit to this number of projects. */
export interface ChangeInput {
  change: number;
}

/** Moves GitLab's clock forward by this time, so that its rate limits start again. */
export interface LaterInput {
  laterMs: number;
}

export interface GitlabAnswer {
  url: string;
  token: string;
  paths: string[];
  /** Answers since the previous request for counts, by status and by route. */
  statuses: Record<string, number>;
  routes: Record<string, number>;
}

type Input = GitlabInput | ChangeInput | LaterInput | 'counts';

let simulator: Simulator | null = null;
let token = '';

process.on('message', (input: Input) => void answer(input));
process.on('disconnect', () => void simulator?.close().then(() => process.exit(0)));

async function answer(input: Input): Promise<void> {
  if (input !== 'counts' && 'change' in input) await change(input.change);
  else if (input !== 'counts' && 'laterMs' in input) later(input.laterMs);
  else if (input !== 'counts') await begin(input);
  if (simulator === null) throw new Error('not begun');
  const { requests } = simulator.control;
  const statuses: Record<string, number> = {};
  for (const { status } of requests.list()) statuses[String(status)] = (statuses[String(status)] ?? 0) + 1;
  const routes = { ...requests.counts() };
  requests.reset();
  const paths = simulator.recipes.map(({ path }) => path);
  process.send?.({ url: simulator.url, token, paths, statuses, routes } satisfies GitlabAnswer);
}

function later(laterMs: number): void {
  const { control } = simulator ?? {};
  control?.setClock(new Date(control.now().getTime() + laterMs).toISOString());
}

async function begin({ fleet, copies, maxGap, ...options }: GitlabInput): Promise<void> {
  simulator = await createSimulator({ ...options, recipes: fleetRecipes(fleet).map(withoutCode) });
  const [recipe] = fleetRecipes(1);
  if (recipe === undefined) throw new Error('no recipe');
  if (copies > 0) await simulator.control.addCopies({ recipe, count: copies, maxGap });
  const { id: userId } = simulator.control.createUser({ kind: 'service_account' });
  ({ token } = simulator.control.createToken({ userId }));
}

/** The peer searches for secrets only, so no file is in a language that Secu has rules for. */
function withoutCode(recipe: Recipe): Recipe {
  const renamed = (path: string) => path.replace(/\.js$/, '.txt');
  return {
    ...recipe,
    commits: () =>
      [...recipe.commits()].map((commit) => ({
        ...commit,
        files: Object.fromEntries(Object.entries(commit.files).map(([path, file]) => [renamed(path), file])),
      })),
  };
}

async function change(count: number): Promise<void> {
  const recipes = simulator?.recipes ?? [];
  const step = Math.max(1, Math.floor(recipes.length / count));
  for (let index = 0; index < count; index += 1) {
    const recipe = recipes[index * step];
    if (recipe === undefined || simulator === null) continue;
    await simulator.control.pushCommit({
      project: recipe.path,
      files: { 'CHANGES.md': `change ${index}\n` },
    });
  }
}
