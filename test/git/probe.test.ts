import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { assertGitPinsAddresses } from '../../src/git/probe.ts';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'secu-probe-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

test('the installed git connects to the address that was checked', async () => {
  await expect(assertGitPinsAddresses({ workFolder: folder })).resolves.toBeUndefined();
});

test('a git that ignores the setting, as before 2.37, is refused', async () => {
  const old = join(folder, 'old-git');
  // an empty value overrides the value of the file
  await writeFile(old, '#!/bin/sh\nexec git -c http.curloptResolve= "$@"\n');
  await chmod(old, 0o755);
  await expect(assertGitPinsAddresses({ workFolder: folder, gitBinary: old })).rejects.toMatchObject({
    code: 'tool_unavailable',
    message: expect.stringContaining('2.37'),
  });
});
