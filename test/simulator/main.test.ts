import type { ChildProcess } from 'node:child_process';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { z } from 'zod';

const MAIN = fileURLToPath(new URL('../../simulator/main.ts', import.meta.url));
const Announcement = z.object({
  url: z.url(),
  controlKey: z.string(),
  token: z.string(),
  expiresAt: z.iso.date(),
  projects: z.number(),
});

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'secu-simulator-main-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

async function start(): Promise<{ child: ChildProcess; said: z.infer<typeof Announcement> }> {
  const args = [MAIN, '--json', '--folder', folder, '--fleet', '30', '--latency', '1'];
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit', 'ipc'] });
  if (child.stdout === null) throw new Error('no output');
  const lines = createInterface({ input: child.stdout });
  const [line] = await once(lines, 'line');
  return { child, said: Announcement.parse(JSON.parse(z.string().parse(line))) };
}

test('it prints one line with its address, and its token can list and clone for 69 days', async () => {
  const { child, said } = await start();
  const response = await fetch(
    `${said.url}/api/v4/projects?membership=true&min_access_level=20&per_page=100`,
    {
      headers: { 'PRIVATE-TOKEN': said.token },
    },
  );
  expect(z.array(z.unknown()).parse(await response.json())).toHaveLength(said.projects);
  const daysLeft = (Date.parse(said.expiresAt) - Date.now()) / 86_400_000;
  expect(Math.ceil(daysLeft)).toBe(69);
  const ended = once(child, 'exit');
  child.kill('SIGTERM');
  expect(await ended).toEqual([0, null]);
  expect((await readdir(folder)).filter((name) => name.startsWith('served-'))).toEqual([]);
});

test('it ends when its parent has ended, and its tokens work after the next start', async () => {
  const first = await start();
  const ended = once(first.child, 'exit');
  first.child.disconnect();
  expect(await ended).toEqual([0, null]);
  const second = await start();
  const self = await fetch(`${second.said.url}/api/v4/personal_access_tokens/self`, {
    headers: { 'PRIVATE-TOKEN': first.said.token },
  });
  expect(self.status).toBe(200);
  const over = once(second.child, 'exit');
  second.child.kill('SIGTERM');
  await over;
});
