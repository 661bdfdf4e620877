import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { awaitUntil } from '../../harness/await-until.ts';
import { memoryFolder } from '../../src/subprocess/memory-file.ts';
import { descendants } from './processes.ts';
import type { GitWorld } from './support.ts';
import { createGitWorld } from './support.ts';

let world: GitWorld;

beforeAll(async () => {
  world = await createGitWorld();
});

afterAll(async () => {
  await world?.close();
});

/** The token in plain text, and in the encoding that HTTP uses. */
const forms = () => [world.token, Buffer.from(`oauth2:${world.token}`).toString('base64')];

function filesBelow(folder: string): string[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name));
}

test('the arguments, the environment and the files of git never contain the token', async () => {
  const path = world.simulator.recipes[0]?.path ?? '';
  const directory = world.directory();
  world.simulator.control.faults.add({
    match: { path: /git-upload-pack$/, fetchOnly: true },
    answer: { kind: 'endless_pack' },
  });
  const stop = new AbortController();
  const clone = world
    .remote()
    .clone({ ...world.repository(path, { signal: stop.signal }), directory, history: 'none' });
  clone.catch(() => 'canceled below');

  const programs = await awaitUntil(() => {
    const observed = descendants(process.pid);
    return observed.some(({ commandLine }) => commandLine.includes('remote-http')) ? observed : null;
  });
  await awaitUntil(() => world.simulator.control.requests.clones().inFlight === 1);
  for (const { commandLine, environment } of programs) {
    for (const form of forms()) {
      expect(commandLine).not.toContain(form);
      expect(environment).not.toContain(form);
    }
  }
  const places = [join(world.folder, 'work'), join(directory, '..'), memoryFolder() ?? '/dev/shm'];
  const holding = places
    .flatMap(filesBelow)
    .filter((file) => forms().some((form) => readFileSync(file).includes(form)));
  expect(holding).toEqual([]);

  stop.abort();
  await expect(clone).rejects.toMatchObject({ code: 'canceled' });
});

test('a finished clone contains no address and no credential', async () => {
  world.simulator.control.faults.clear();
  const directory = world.directory();
  const path = world.simulator.recipes[0]?.path ?? '';
  await world.remote().clone({ ...world.repository(path), directory, history: 'none' });
  const holding = filesBelow(directory).filter((file) =>
    forms().some((form) => readFileSync(file).includes(form)),
  );
  expect(holding).toEqual([]);
});
