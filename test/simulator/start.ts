import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Simulator, SimulatorOptions } from '../../simulator/index.ts';
import { createSimulator, defaultRecipes } from '../../simulator/index.ts';

export type Started = { simulator: Simulator; home: string; stop: () => Promise<void> };

/** The default recipes without the large ones. */
function smallRecipes() {
  const large = ['monolith', 'chronicle', 'hostile', 'hostile-tree'];
  return defaultRecipes().filter(({ name }) => !large.includes(name));
}

/** A simulator in its own folder, and a home for git; `stop` removes both. */
export async function startSimulator(options: Partial<SimulatorOptions> = {}): Promise<Started> {
  const folder = await mkdtemp(join(tmpdir(), 'secu-simulator-'));
  const home = await mkdtemp(join(tmpdir(), 'secu-simulator-home-'));
  const simulator = await createSimulator({ folder, recipes: smallRecipes(), ...options });
  const stop = async () => {
    await simulator.close();
    await rm(folder, { recursive: true, force: true });
    await rm(home, { recursive: true, force: true });
  };
  return { simulator, home, stop };
}

/** One call of the API. */
export async function call(options: {
  simulator: Simulator;
  path: string;
  token?: string;
  method?: string;
  headers?: Record<string, string>;
  body?: string;
}): Promise<{ status: number; headers: Headers; text: string; json: unknown }> {
  const { simulator, path, token, method = 'GET', headers = {}, body } = options;
  const response = await fetch(`${simulator.url}${path}`, {
    method,
    redirect: 'manual',
    headers: { ...headers, ...(token === undefined ? {} : { 'PRIVATE-TOKEN': token }) },
    ...(body === undefined ? {} : { body }),
  });
  const text = await response.text();
  const json: unknown = text !== '' && isJson(text) ? JSON.parse(text) : null;
  return { status: response.status, headers: response.headers, text, json };
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    return false;
  }
}
