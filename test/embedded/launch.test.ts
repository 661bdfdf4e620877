import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { isAlive, until } from './support.ts';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const NODE_PACKAGE = `node-linux-${process.arch}`;

/**
 * A fake command line: prints how it was started once it can receive signals, then waits or exits as requested.
 */
const CLI = `
import { readFileSync } from 'node:fs';
const args: string[] = process.argv.slice(2);
const times = JSON.parse(readFileSync(process.env['SECU_LAUNCH_TIMES'] ?? '', 'utf8') || 'null');
if (args.includes('wait')) {
  setInterval(() => {}, 60_000);
  process.on('SIGTERM', () => process.exit(9));
}
if (args[0] === 'up') process.on('disconnect', () => process.exit(0));
process.stdout.write(JSON.stringify({ args, node: process.versions.node, pid: process.pid, times, ipc: process.send !== undefined }) + '\\n');
if (!args.includes('wait') && args[0] !== 'up') process.exit(7);
`;

let project: string;

beforeEach(() => {
  project = mkdtempSync(join(tmpdir(), 'secu-launch-'));
  for (const folder of ['scripts', 'tools', 'bin'])
    cpSync(join(ROOT, folder), join(project, folder), { recursive: true });
  mkdirSync(join(project, 'src/main'), { recursive: true });
  mkdirSync(join(project, 'node_modules'));
  writeFileSync(join(project, 'src/main/cli.ts'), CLI);
  writeFileSync(join(project, 'package.json'), '{"type":"module"}');
  writeFileSync(join(project, 'package-lock.json'), '{"packages":{}}');
  symlinkSync(join(ROOT, 'node_modules', NODE_PACKAGE), join(project, 'node_modules', NODE_PACKAGE));
  const hash = createHash('sha256').update('{"packages":{}}').digest('hex');
  writeFileSync(join(project, 'node_modules/.secu-installed'), hash);
  mkdirSync(join(project, 'dashboard'));
  mkdirSync(join(project, 'dist/dashboard'), { recursive: true });
  // A dashboard that was built from this lock file only.
  writeFileSync(join(project, 'dist/dashboard/.made-of'), createHash('sha256').update(hash).digest('hex'));
});

afterEach(() => rmSync(project, { recursive: true, force: true }));

interface Said {
  args: string[];
  node: string;
  pid: number;
  times: { steps: { name: string; ms: number }[] };
  ipc: boolean;
}

function start(program: string, args: string[], env: NodeJS.ProcessEnv = {}) {
  const child = spawn(process.execPath, [join(project, program), ...args], {
    cwd: '/',
    env: { ...process.env, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let out = '';
  let err = '';
  child.stdout.on('data', (chunk) => {
    out += String(chunk);
  });
  child.stderr.on('data', (chunk) => {
    err += String(chunk);
  });
  const said = async (): Promise<Said> => {
    await until('it prints something', () => out.includes('\n') || child.exitCode !== null);
    return JSON.parse(out) as Said;
  };
  return {
    child,
    said,
    errors: () => err,
    ended: once(child, 'close').then(([code]) => code as number | null),
  };
}

test('secu passes its arguments on, runs on Node 24, and keeps the exit code', async () => {
  const { ended, said, errors } = start('bin/secu.js', ['integrations', 'list', '--json']);
  expect(await ended).toBe(7);
  expect(await said()).toMatchObject({
    args: ['integrations', 'list', '--json'],
    node: expect.stringMatching(/^24\./),
  });
  expect(errors()).toBe('');
});

test('forwards signals and the times of the set-up', async () => {
  const { child, ended, said } = start('scripts/launch.js', ['secu', 'wait']);
  expect((await said()).times.steps.map(({ name }) => name)).toEqual(['dependencies']);
  child.kill('SIGTERM');
  expect(await ended).toBe(9);
});

test('the process of npm start ends when the launcher is killed', async () => {
  const { child, ended, said } = start('scripts/launch.js', ['start']);
  const { pid, ipc, args } = await said();
  expect({ ipc, args }).toEqual({ ipc: true, args: ['up'] });
  child.kill('SIGKILL');
  await ended;
  await until('the command ends', () => !isAlive(pid));
});

test('the dashboard is built once after its sources changed, and the output of a failed build is shown', async () => {
  const vite = join(project, 'node_modules/vite/bin/vite.js');
  mkdirSync(join(project, 'node_modules/vite/bin'), { recursive: true });
  writeFileSync(join(project, 'dashboard/main.tsx'), 'export {};');
  writeFileSync(vite, `console.error('no such module'); process.exit(1);`);
  const failed = start('scripts/launch.js', ['start']);
  expect(await failed.ended).toBe(1);
  expect(failed.errors()).toContain('secu: vite build exited with 1\nno such module');

  const log = join(project, 'builds.log');
  writeFileSync(
    vite,
    `require('node:fs').appendFileSync(${JSON.stringify(log)}, process.argv.slice(2).join(' ') + '\\n');`,
  );
  writeFileSync(join(project, 'node_modules/vite/package.json'), '{"type":"commonjs"}');
  for (const _time of ['first', 'second']) {
    const { child, ended, said } = start('scripts/launch.js', ['start']);
    await said();
    child.kill('SIGKILL');
    await ended;
  }
  expect(readFileSync(log, 'utf8')).toBe('build dashboard --logLevel warn\n');
});

test('an unknown command is a usage error', async () => {
  const { ended, errors } = start('scripts/launch.js', ['strat']);
  expect(await ended).toBe(2);
  expect(errors()).toMatch(/^secu: usage: .*start\|demo\|test/);
});

test('installs dependencies once after the lock file changed, and shows the output of npm only on failure', async () => {
  const npm = join(project, 'npm-cli.js');
  writeFileSync(join(project, 'package-lock.json'), '{"packages":{"node_modules/x":{"version":"1.0.0"}}}');
  writeFileSync(npm, `console.error('npm error: no route'); process.exit(1);`);
  const failed = start('bin/secu.js', [], { npm_execpath: npm });
  expect(await failed.ended).toBe(1);
  expect(failed.errors()).toBe('secu: npm ci exited with 1\nnpm error: no route\n');

  writeFileSync(
    npm,
    `import { appendFileSync } from 'node:fs'; console.log('added 1'); appendFileSync(import.meta.filename + '.log', process.argv[2] + ';');`,
  );
  for (const _ of [1, 2]) {
    const { ended, errors } = start('bin/secu.js', [], { npm_execpath: npm });
    expect(await ended).toBe(7);
    expect(errors()).toBe('');
  }
  expect(readFileSync(`${npm}.log`, 'utf8')).toBe('ci;');
});

test('an installation without development packages can run secu, but no command that needs those packages', async () => {
  const npm = join(project, 'npm-cli.js');
  writeFileSync(npm, `console.error('npm error: no route'); process.exit(1);`);
  writeFileSync(
    join(project, 'package-lock.json'),
    '{"packages":{"node_modules/x":{"version":"1.0.0"},"node_modules/d":{"version":"1.0.0","dev":true}}}',
  );
  writeFileSync(
    join(project, 'node_modules/.package-lock.json'),
    '{"packages":{"node_modules/x":{"version":"1.0.0"}}}',
  );
  for (const _ of [1, 2]) {
    const alone = start('bin/secu.js', ['worker'], { npm_execpath: npm });
    expect({ code: await alone.ended, errors: alone.errors() }).toEqual({ code: 7, errors: '' });
  }
  for (const [program, args] of [
    ['bin/secu.js', ['up']],
    ['scripts/launch.js', ['check']],
  ] as const) {
    const more = start(program, [...args], { npm_execpath: npm });
    expect(await more.ended).toBe(1);
    expect(more.errors()).toContain('npm ci exited with 1');
  }
});

test('with a recent Node and no Node package, secu runs in the process that was started', async () => {
  rmSync(join(project, 'node_modules', NODE_PACKAGE));
  const { child, ended, said } = start('bin/secu.js', ['wait'], { SECU_LAUNCH_TIMES: '/dev/null' });
  expect(await said()).toMatchObject({ args: ['wait'], pid: child.pid });
  child.kill('SIGTERM');
  expect(await ended).toBe(9);
});
