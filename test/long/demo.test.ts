import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { processesOf } from '../../harness/secu.ts';
import { freePort } from '../../src/embedded/home.ts';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));

let home: string;
let port: number;

beforeAll(async () => {
  home = await mkdtemp(join(tmpdir(), 'secu-demo-'));
  port = await freePort();
});

afterAll(async () => {
  await rm(home, { recursive: true, force: true });
});

/** `npm run demo -- --once --json FILE`, through the launcher. */
async function demo() {
  const file = join(home, 'out.json');
  const child = spawn(process.execPath, ['scripts/launch.js', 'demo', '--once', '--json', file], {
    cwd: ROOT,
    env: { ...process.env, SECU_HOME: home, SECU_PORT: String(port) },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const [output, errors, code] = await Promise.all([
    text(child.stdout),
    text(child.stderr),
    new Promise<number | null>((resolve) => child.once('exit', resolve)),
  ]);
  return { output, errors, code, result: JSON.parse(readFileSync(file, 'utf8')) };
}

test.each(['in an empty home', 'again in the same home'])(
  'the demo %s exits with 0, meets every expectation and leaves no process',
  async () => {
    const { output, errors, code, result } = await demo();
    expect({ code, errors }).toEqual({ code: 0, errors: '' });
    expect(result).toMatchObject({ ok: true, missed: 0, invented: 0 });
    expect(result.expected).toBeGreaterThan(50);
    // additional findings only where a recipe allows them
    expect(result.found).toBeGreaterThanOrEqual(result.expected);
    expect(result.repositories.length).toBeGreaterThan(14);
    const steps = result.steps.map((step: { name: string }) => step.name);
    expect(steps).toEqual(
      expect.arrayContaining(['token verified', 'repositories listed', 'everything scanned']),
    );
    expect(output).toContain('every expectation is met');
    expect(processesOf(home)).toEqual([]);
  },
);
