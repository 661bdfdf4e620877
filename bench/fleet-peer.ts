import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

export interface PeerAnswer {
  ms: number;
  /** CPU of all processes that the script ran, in seconds. */
  cpu: number;
  findings: number;
}

/** Runs the loop of `fleet-peer.sh` over these repositories. */
export async function runPeer(input: {
  folder: string;
  url: string;
  token: string;
  paths: readonly string[];
  atOnce: number;
  gitleaks: string;
}): Promise<PeerAnswer> {
  const { folder, url, token, paths, atOnce, gitleaks } = input;
  await mkdir(folder, { recursive: true });
  const header = `Authorization: Basic ${Buffer.from(`oauth2:${token}`).toString('base64')}`;
  const script = fileURLToPath(new URL('fleet-peer.sh', import.meta.url));
  const before = process.resourceUsage();
  const startedMs = performance.now();
  const child = spawn('sh', ['-c', 'sh "$@"; times', 'sh', script, folder, url, String(atOnce), gitleaks], {
    stdio: ['pipe', 'pipe', 'inherit'],
    env: {
      PATH: process.env['PATH'],
      HOME: folder,
      GIT_CONFIG_COUNT: '1',
      GIT_CONFIG_KEY_0: 'http.extraHeader',
      GIT_CONFIG_VALUE_0: header,
    },
  });
  let reported = '';
  child.stdout.on('data', (text) => (reported += String(text)));
  child.stdin.end(`${paths.join('\n')}\n`);
  const [code] = (await once(child, 'close')) as [number | null];
  const ms = performance.now() - startedMs;
  if (code !== 0) throw new Error(`the shell loop ended with ${code} (${before.maxRSS})`);
  return { ms, cpu: cpuOf(reported), findings: await findingsIn(folder) };
}

/** Parses the last line of `times`: user and system time of all children, `1m2.3s 0m4.5s`. */
function cpuOf(times: string): number {
  const [user = '', system = ''] = times.trim().split('\n').at(-1)?.split(' ') ?? [];
  const seconds = (text: string) => {
    const [, minutes = '0', rest = '0'] = /^(\d+)m([\d.]+)s$/.exec(text) ?? [];
    return Number(minutes) * 60 + Number(rest);
  };
  return seconds(user) + seconds(system);
}

async function findingsIn(folder: string): Promise<number> {
  let count = 0;
  for (const name of await readdir(folder)) {
    if (!name.endsWith('.json')) continue;
    const found: unknown = JSON.parse(await readFile(join(folder, name), 'utf8'));
    count += Array.isArray(found) ? found.length : 0;
  }
  return count;
}
