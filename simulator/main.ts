import { once } from 'node:events';
import { parseArgs } from 'node:util';

import { fleetRecipes } from './recipes/fleet.ts';
import type { Simulator } from './simulator.ts';
import { createSimulator } from './simulator.ts';

const HELP = `Runs a simulated GitLab until it is told to end.

  --port N        port to listen on (default: any free one)
  --host H        address to listen on (default: 127.0.0.1)
  --folder F      where repositories and tokens are kept (default: .cache/simulator)
  --fleet N       N small repositories in place of the usual ones
  --latency MS    from a request to its answer, at least
  --json          print one JSON line instead of text
  --help
`;

const { values } = parseArgs({
  options: {
    port: { type: 'string' },
    host: { type: 'string' },
    folder: { type: 'string', default: '.cache/simulator' },
    fleet: { type: 'string' },
    latency: { type: 'string' },
    json: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  },
});

if (values.help) {
  process.stdout.write(HELP);
} else {
  await run();
}

async function run(): Promise<void> {
  const fleet = wholeNumber('fleet', values.fleet);
  const simulator = await createSimulator({
    folder: values.folder,
    host: values.host,
    port: wholeNumber('port', values.port),
    latencyMs: wholeNumber('latency', values.latency),
    recipes: fleet === undefined ? undefined : fleetRecipes(fleet),
    keepTokens: true,
  });
  announce(simulator);
  await askedToEnd();
  await simulator.close();
  // An IPC channel to a running parent would keep this process running.
  if (process.connected) process.disconnect();
}

function wholeNumber(name: string, text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  if (!/^\d{1,9}$/.test(text)) throw new Error(`--${name} takes a whole number, not "${text}"`);
  return Number(text);
}

function announce({ url, controlKey, control, recipes }: Simulator): void {
  const { id: userId, username } = control.createUser({ name: 'Secu scanner' });
  const {
    id: tokenId,
    token,
    expiresAt,
  } = control.createToken({ userId, scopes: ['read_api', 'read_repository'] });
  if (values.json) {
    const projects = recipes.length;
    const line = { url, controlKey, token, tokenId, expiresAt, userId, username, projects };
    process.stdout.write(`${JSON.stringify(line)}\n`);
    return;
  }
  process.stdout.write(`Simulated GitLab with ${recipes.length} projects: ${url}
  token        ${token}   (read_api, read_repository; until ${expiresAt}, 00:00 UTC)
  control key  ${controlKey}   (X-Simulator-Key for ${new URL('/_simulator/', url).href}…)
Secu needs SECU_GITLAB_ORIGINS=${url} and SECU_ALLOWED_NETWORKS=127.0.0.0/8 to talk to it.
`);
}

async function askedToEnd(): Promise<void> {
  const ended = new AbortController();
  const { signal } = ended;
  const signs = ['SIGTERM', 'SIGINT', 'SIGHUP'].map((name) => once(process, name, { signal }));
  // With an IPC channel, this process ends when its parent has ended.
  if (process.connected) signs.push(once(process, 'disconnect', { signal }));
  const rest = signs.map((sign) => sign.catch(ignoreAbort));
  await Promise.race(rest);
  ended.abort();
}

function ignoreAbort(error: unknown): void {
  if (!(error instanceof Error && error.name === 'AbortError')) throw error;
}
