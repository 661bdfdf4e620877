import { spawnSync } from 'node:child_process';
import { cpSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { projectFile } from '../support/compose.ts';

let copy: string;

beforeAll(() => {
  copy = mkdtempSync(join(tmpdir(), 'secu-bundle-'));
  for (const part of ['src', 'tools', 'package.json', 'package-lock.json'])
    cpSync(projectFile(part), join(copy, part), { recursive: true });
  symlinkSync(projectFile('node_modules'), join(copy, 'node_modules'));
});

afterAll(() => rmSync(copy, { recursive: true, force: true }));

/** With or without a compile cache. */
function run(args: readonly string[], cache?: string): string {
  const env = cache === undefined ? {} : { NODE_COMPILE_CACHE: cache };
  const { status, stdout, stderr } = spawnSync(process.execPath, args, { cwd: copy, encoding: 'utf8', env });
  expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
  return stdout.trim();
}

/** The length of the bundle that a worker would use. */
const taken = () =>
  Number(
    run([
      '--input-type=module',
      '-e',
      "import { workflowBundle } from './src/main/workflow-bundle.ts'; console.log((await workflowBundle()).code.length);",
    ]),
  );

test('a prebuilt bundle is used only while its sources are unchanged', () => {
  const file = run(['src/main/bundle.ts']);
  writeFileSync(file, 'prebuilt');
  expect(taken()).toBe('prebuilt'.length);
  cpSync(join(copy, 'src/domain/ids.ts'), join(copy, 'src/domain/ids-too.ts'));
  expect(taken()).toBeGreaterThan(100_000);
});

/** The number of modules of the type-stripping compiler that the runner loaded. */
const compilerParts = (cache?: string) =>
  Number(
    run(
      [
        '--input-type=module',
        '-e',
        "await import('./src/process-runner/program.ts'); console.log(process.moduleLoadList.filter((name) => /amaro/.test(name)).length);",
      ],
      cache,
    ),
  );

test('a process with a filled compile cache does not load the compiler', () => {
  const cache = join(copy, 'dist', 'compiled');
  expect(compilerParts()).toBeGreaterThan(0);
  run(['src/main/bundle.ts'], cache);
  expect(compilerParts(cache)).toBe(0);
});
