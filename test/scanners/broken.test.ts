import { readFileSync } from 'node:fs';
import { chmod, open, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { createSecrets } from '../../simulator/recipes/secrets.ts';
import { outcomeOf } from '../../src/domain/scan.ts';
import type { BareRepository, ScanWorld } from './support.ts';
import { createScanWorld, git, runOf } from './support.ts';

const secrets = createSecrets('broken');

let world: ScanWorld;
beforeAll(async () => {
  world = await createScanWorld();
});
afterAll(() => world.close());

/** A repository with a secret and a second file; each object is stored in its own file. */
function repository(): Promise<BareRepository> {
  return world.files({
    'a.env': `GITHUB=${secrets.githubToken()}\n`,
    'b.txt': `${secrets.alphanumeric(2_000)}\n`,
  });
}

async function objectFile({ gitDirectory }: BareRepository, name: string): Promise<string> {
  const id = (await git(world.folder, ['--git-dir', gitDirectory, 'rev-parse', name])).toString().trim();
  const path = join(gitDirectory, 'objects', id.slice(0, 2), id.slice(2));
  await chmod(path, 0o644);
  return path;
}

const damages: ReadonlyArray<readonly [string, (path: string) => Promise<void>]> = [
  ['missing', (path) => rm(path)],
  ['cut short', async (path) => truncate(path, (await stat(path)).size - 20)],
  ['empty', (path) => truncate(path, 0)],
  ['changed in one byte', (path) => flipOneByte(path)],
];

async function truncate(path: string, bytes: number): Promise<void> {
  const file = await open(path, 'r+');
  await file.truncate(bytes);
  await file.close();
}

async function flipOneByte(path: string): Promise<void> {
  const middle = Math.floor(readFileSync(path).length / 2);
  const file = await open(path, 'r+');
  await file.write(Buffer.from([(readFileSync(path)[middle] ?? 0) ^ 0xff]), 0, 1, middle);
  await file.close();
}

const objects = ['HEAD:b.txt', 'HEAD^{tree}', 'HEAD'];

test.each(objects.flatMap((object) => damages.map(([damage, harm]) => [object, damage, harm] as const)))(
  '%s %s: the scan fails and is never clean',
  async (object, _damage, harm) => {
    const broken = await repository();
    await harm(await objectFile(broken, object));
    const report = await world.scan(broken);
    expect(runOf(report)).toMatchObject({ status: 'failed', cause: 'scanner_crashed', findings: 0 });
    expect(report.findings).toEqual([]);
    expect(outcomeOf(report.runs)).toEqual({ status: 'failed', cause: 'scanner_crashed' });
  },
);

test('a scan of a missing commit fails', async () => {
  const { gitDirectory } = await repository();
  const report = await world.scan({ gitDirectory, commit: 'c'.repeat(40) });
  expect(runOf(report)).toMatchObject({ status: 'failed', cause: 'scanner_crashed' });
});

test('a broken old object fails a scan of the whole history', async () => {
  const broken = await world.repository([
    { message: 'one', files: { 'a.txt': `${secrets.alphanumeric(500)}\n` } },
    { message: 'two', files: { 'a.txt': 'gone\n' } },
  ]);
  await rm(await objectFile(broken, 'HEAD^:a.txt'));
  expect(runOf(await world.scan(broken))).toMatchObject({ status: 'ok' });
  const report = await world.scan(broken, { history: 'full' });
  expect(runOf(report)).toMatchObject({ status: 'failed', cause: 'scanner_crashed' });
});
