// Plain JavaScript without dependencies: the launcher uses it before anything is installed.
import { execFile } from 'node:child_process';
import { cpSync, readdirSync, renameSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const GO_AT_LEAST = '1.26.8';
const BUILD_TIMEOUT_MS = 30 * 60_000;

/** @typedef {{ version: string, key: string, package: string, ldflags: string, expect: string, moduleFolder?: string | undefined }} GoRecipe */

/**
 * Builds the tool at `target`. A tool with a `moduleFolder` is built by our wrapper module in that folder, because
 * `go install` cannot install a module with `replace` lines.
 * @param {{ recipe: GoRecipe, target: string, folder: string, env: NodeJS.ProcessEnv }} options `folder`: an empty one to work in
 * @returns {Promise<void>}
 */
export async function buildWithGo({ recipe, target, folder, env }) {
  await requireGo(env);
  const buildEnv = { ...env, CGO_ENABLED: '0', GOFLAGS: '-buildvcs=false', GOWORK: 'off' };
  if (recipe.moduleFolder !== undefined) {
    // A copy, because a clone may be read-only and a build may touch go.sum's time.
    const module = join(folder, 'module');
    cpSync(fileURLToPath(new URL(recipe.moduleFolder, import.meta.url)), module, { recursive: true });
    const args = ['build', '-ldflags', recipe.ldflags, '-o', target, recipe.package];
    await runGo(args, { cwd: module, env: buildEnv });
    return;
  }
  const bin = join(folder, 'bin');
  await runGo(['install', '-ldflags', recipe.ldflags, `${recipe.package}@v${recipe.version}`], {
    cwd: folder,
    env: { ...buildEnv, GOBIN: bin },
  });
  const [built] = readdirSync(bin);
  if (built === undefined) throw new Error('go install left no program');
  renameSync(join(bin, built), target);
}

/** @param {NodeJS.ProcessEnv} env */
async function requireGo(env) {
  let output;
  try {
    output = await runGo(['env', 'GOVERSION'], { env });
  } catch (err) {
    throw new Error(`Go >= ${GO_AT_LEAST} is not installed`, { cause: err });
  }
  const version = output.trim().replace(/^go/, '');
  if (!isAtLeast(version, GO_AT_LEAST)) throw new Error(`Go ${version} is too old, ${GO_AT_LEAST} is needed`);
}

/**
 * Compares dotted numbers: 1.32.0 is at least 1.32.
 * @param {string} version @param {string} minimum
 */
export function isAtLeast(version, minimum) {
  const has = version.split('.').map((part) => Number.parseInt(part, 10));
  const wants = minimum.split('.').map((part) => Number.parseInt(part, 10));
  for (const [index, want] of wants.entries()) {
    const part = has[index] ?? 0;
    if (Number.isNaN(part)) return false;
    if (part !== want) return part > want;
  }
  return true;
}

/**
 * @param {string[]} args @param {{ cwd?: string, env: NodeJS.ProcessEnv }} options
 * @returns {Promise<string>}
 */
function runGo(args, { cwd, env }) {
  return new Promise((resolve, reject) => {
    const options = { cwd, env, timeout: BUILD_TIMEOUT_MS, maxBuffer: 64 * 1024 * 1024 };
    execFile('go', args, options, (err, stdout, stderr) => {
      if (err === null) return resolve(stdout);
      const lastLines = stderr.trim().split('\n').slice(-4).join(' | ');
      reject(
        new Error(`go ${args[0]} failed: ${lastLines === '' ? err.message : lastLines}`, { cause: err }),
      );
    });
  });
}
