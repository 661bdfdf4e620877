// `npm run check`: runs every check, even if an earlier one failed, and prints one line per check.
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { performance } from 'node:perf_hooks';
import { ROOT } from './setup.js';

const bin = (/** @type {string} */ name) => join(ROOT, 'node_modules', '.bin', name);
const generate = 'src/reference-docs/main.ts';

/** @type {{ name: string, command: string, args: string[], when?: boolean }[]} */
const STEPS = [
  { name: 'types', command: bin('tsc'), args: ['--noEmit'] },
  { name: 'dashboard types', command: bin('tsc'), args: ['--noEmit', '-p', 'dashboard'] },
  { name: 'format and lint', command: bin('biome'), args: ['ci', '--colors=off', '.'] },
  { name: 'lint with types', command: bin('oxlint'), args: ['--type-aware', '--deny-warnings'] },
  { name: 'store results', command: process.execPath, args: [join(ROOT, 'scripts/check-results.js')] },
  { name: 'plain names', command: process.execPath, args: [join(ROOT, 'scripts/check-names.js')] },
  { name: 'dead code', command: bin('knip'), args: ['--no-progress'] },
  { name: 'compose file', command: bin('dclint'), args: ['--max-warnings=0', 'docker-compose.yml'] },
  { name: 'image file', command: bin('dockerfile-utils'), args: ['lint', 'Dockerfile'] },
  { name: 'lock file', command: 'npm', args: ['ci', '--dry-run', '--ignore-scripts', '--loglevel=error'] },
  {
    name: 'generated files',
    command: process.execPath,
    args: [generate, '--check'],
    when: existsSync(join(ROOT, generate)),
  },
];

let failed = 0;
for (const step of STEPS) {
  if (step.when === false) continue;
  const startedAt = performance.now();
  const { ok, output } = await run(step);
  const seconds = ((performance.now() - startedAt) / 1000).toFixed(1);
  process.stdout.write(`${ok ? 'ok    ' : 'FAILED'}  ${step.name.padEnd(16)} ${seconds.padStart(5)} s\n`);
  if (ok) continue;
  failed += 1;
  process.stdout.write(`${output.trimEnd()}\n\n`);
}
process.exitCode = failed === 0 ? 0 : 1;

/**
 * @param {{ command: string, args: string[] }} step
 * @returns {Promise<{ ok: boolean, output: string }>}
 */
function run({ command, args }) {
  return new Promise((resolve) => {
    const child = spawn(command, args, { cwd: ROOT, stdio: ['ignore', 'pipe', 'pipe'] });
    /** @type {Buffer[]} */
    const chunks = [];
    child.stdout.on('data', (chunk) => chunks.push(chunk));
    child.stderr.on('data', (chunk) => chunks.push(chunk));
    const output = () => Buffer.concat(chunks).toString('utf8');
    child.on('error', (err) => resolve({ ok: false, output: err.message }));
    child.on('close', (code) => resolve({ ok: code === 0, output: output() }));
  });
}
