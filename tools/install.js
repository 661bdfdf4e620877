// Plain JavaScript without dependencies: the launcher uses it before anything is installed.
import { execFile } from 'node:child_process';
import {
  accessSync,
  chmodSync,
  constants,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { homedir } from 'node:os';
import { delimiter, isAbsolute, join } from 'node:path';
import { ChecksumError, download, readTarEntry } from './download.js';
import { buildWithGo, isAtLeast } from './go-build.js';
import { hasCode, withLock } from './lock.js';

/**
 * @typedef {'configured' | 'path' | 'release' | 'go'} ToolSource Where a tool came from.
 * @typedef {object} Tool
 * @property {string} name
 * @property {string} version as the program reports it, for Temporal with the server's version
 * @property {string} path absolute
 * @property {ToolSource} source
 * @property {'ok' | 'version_differs'} status `version_differs`: the configured program is not of the pinned version
 *
 * @typedef {object} ToolOptions
 * @property {string | undefined} [configuredPath] the value of SECU_TEMPORAL_PATH or SECU_GITLEAKS_PATH: used or refused, never ignored
 * @property {NodeJS.ProcessEnv | undefined} [env] for PATH, XDG_CACHE_HOME, HOME and the Go build; default: this process's
 * @property {(line: string) => void} [log] called before a step that takes long
 * @property {string} [releaseBaseUrl] replaces the release host in tests
 * @property {number} [connectTimeoutMs]
 * @property {Record<string, ToolRecipe>} [manifest]
 *
 * @typedef {object} ReleaseFile
 * @property {string} file
 * @property {string} [sha256] when absent, taken from the release's checksum list
 * @property {string} [entry] the file inside the archive; absent: the file is the program
 *
 * @typedef {object} ToolRecipe
 * @property {string} purpose
 * @property {string} license
 * @property {boolean} default whether the launcher installs it without a request
 * @property {string} version
 * @property {string[]} versionArguments
 * @property {string} versionPattern
 * @property {string} [serverAtLeast] the second group of the pattern must be at least this; else the first must equal `version`
 * @property {{ baseUrl: string, checksums?: { file: string, sha256: string }, files: Record<string, ReleaseFile> }} release
 * @property {import('./go-build.js').GoRecipe} go
 */

/** No source provided the tool. The message names each source tried, why it failed, and what to do. */
export class ToolError extends Error {
  /** @param {string} message @param {{ cause?: unknown }} [options] */
  constructor(message, options) {
    super(message, options);
    this.name = 'ToolError';
  }
}

/** The pinned tools. @returns {Record<string, ToolRecipe>} */
export function readManifest() {
  return JSON.parse(readFileSync(new URL('manifest.json', import.meta.url), 'utf8'));
}

/** Names of the tools that are installed by default. */
export function defaultToolNames() {
  return Object.entries(readManifest())
    .filter(([, recipe]) => recipe.default)
    .map(([name]) => name);
}

/**
 * Finds the tool on this machine (configured, on PATH, or in the tool cache), or returns null. Downloads nothing.
 * @param {string} name @param {ToolOptions} [options]
 * @returns {Promise<Tool | null>}
 * @throws {ToolError} when a configured path is given and does not work
 */
export async function findTool(name, options = {}) {
  const { configuredPath, env = process.env } = options;
  const recipe = recipeOf(name, options);
  if (configuredPath !== undefined && configuredPath !== '')
    return configuredTool(name, recipe, configuredPath);
  for (const path of candidatesOnPath(name, env)) {
    const probe = await probeVersion(recipe, path);
    if (probe?.fits) return { name, version: probe.version, path, source: 'path', status: 'ok' };
  }
  return cachedTool(name, recipe, env);
}

/**
 * Returns the tool; downloads or builds it if it is missing. Several processes may call this at the same time.
 * @param {string} name @param {ToolOptions} [options]
 * @returns {Promise<Tool>}
 * @throws {ToolError} when no source works; immediately when a checksum is wrong
 */
export async function installTool(name, options = {}) {
  const found = await findTool(name, options);
  if (found !== null) return found;
  const { env = process.env, log = () => {} } = options;
  const recipe = recipeOf(name, options);
  const lock = join(cacheFolder(env), `.lock-${name}`);
  const onWait = (/** @type {{ pid: number }} */ { pid }) =>
    log(`waiting for process ${pid}, which installs ${name}`);
  return withLock({ file: lock, onWait }, async () => {
    return cachedTool(name, recipe, env) ?? (await fetchOrBuild(name, recipe, { ...options, env, log }));
  });
}

/**
 * @param {string} name @param {ToolRecipe} recipe
 * @param {ToolOptions & { env: NodeJS.ProcessEnv, log: (line: string) => void }} options
 * @returns {Promise<Tool>}
 */
async function fetchOrBuild(name, recipe, options) {
  const { env, log } = options;
  removePartials(name, env);
  const failures = [];
  /** @type {[ToolSource, string, (folder: string) => Promise<void>][]} */
  const ways = [
    ['release', recipe.version, (folder) => unpackRelease(name, recipe, folder, options)],
    ['go', recipe.go.key, (folder) => buildTool(name, recipe, folder, { env, log })],
  ];
  for (const [source, key, make] of ways) {
    try {
      return await installInto({ name, recipe, source, key, env }, make);
    } catch (err) {
      if (err instanceof ChecksumError) throw new ToolError(`${name}: ${err.message}`, { cause: err });
      failures.push(`${source === 'release' ? 'official release' : 'Go build'}: ${messageOf(err)}`);
    }
  }
  const wanted =
    recipe.serverAtLeast === undefined ? recipe.version : `with Server >= ${recipe.serverAtLeast}`;
  throw new ToolError(
    [
      `${name} is not available.`,
      `  PATH: no ${name} ${wanted}`,
      ...failures.map((line) => `  ${line}`),
      `Allow a connection to the release host, or install Go >= 1.26.8, or set ${pathSettingOf(name)} to a ${name} ${wanted}.`,
    ].join('\n'),
  );
}

/** The setting that names the tool's path. @param {string} name */
export function pathSettingOf(name) {
  return `SECU_${name.toUpperCase().replaceAll('-', '_')}_PATH`;
}

/**
 * @param {string} name @param {ToolRecipe} recipe @param {string} folder @param {ToolOptions} options
 */
async function unpackRelease(name, recipe, folder, { releaseBaseUrl, connectTimeoutMs }) {
  const { release } = recipe;
  const file = release.files[platform()];
  if (file === undefined) throw new Error(`no official file for ${platform()}`);
  const baseUrl = releaseBaseUrl ?? release.baseUrl;
  const sha256 = file.sha256 ?? (await readPublishedSum(recipe, file.file, baseUrl, connectTimeoutMs));
  const body = await download({ url: new URL(file.file, baseUrl).href, sha256, connectTimeoutMs });
  writeFileSync(join(folder, name), file.entry === undefined ? body : readTarEntry(body, file.entry));
}

/**
 * The checksum of a file from the release's own list, which is pinned too.
 * @param {ToolRecipe} recipe @param {string} file @param {string} baseUrl @param {number | undefined} connectTimeoutMs
 */
async function readPublishedSum({ release }, file, baseUrl, connectTimeoutMs) {
  if (release.checksums === undefined) throw new Error(`no checksum is pinned for ${file}`);
  const url = new URL(release.checksums.file, baseUrl).href;
  const list = await download({ url, sha256: release.checksums.sha256, connectTimeoutMs });
  const line = list
    .toString('utf8')
    .split('\n')
    .map((each) => each.trim().split(/\s+\*?/))
    .find(([, name]) => name === file);
  if (line?.[0] === undefined) throw new Error(`the checksum list does not name ${file}`);
  return line[0];
}

/**
 * @param {string} name @param {ToolRecipe} recipe @param {string} folder
 * @param {{ env: NodeJS.ProcessEnv, log: (line: string) => void }} options
 */
async function buildTool(name, recipe, folder, { env, log }) {
  log(`building ${name} from its Go module (${recipe.go.expect})`);
  const scratch = join(folder, 'build');
  mkdirSync(scratch);
  await buildWithGo({ recipe: recipe.go, target: join(folder, name), folder: scratch, env });
  rmSync(scratch, { recursive: true, force: true });
}

/**
 * Creates the tool in a temporary folder and moves it into place when it is complete.
 * @param {{ name: string, recipe: ToolRecipe, source: ToolSource, key: string, env: NodeJS.ProcessEnv }} what
 * @param {(folder: string) => Promise<void>} make
 * @returns {Promise<Tool>}
 */
async function installInto({ name, recipe, source, key, env }, make) {
  const partial = mkdtempSync(join(cacheFolder(env), `.partial-${name}-`));
  try {
    await make(partial);
    const program = join(partial, name);
    chmodSync(program, 0o755);
    chmodSync(partial, 0o755);
    const probe = await probeVersion(recipe, program);
    if (!probe?.fits)
      throw new Error(`the program does not run here or tells another version (${probe?.version})`);
    const note = { version: probe.version, bytes: statSync(program).size };
    writeFileSync(join(partial, 'install.json'), `${JSON.stringify(note)}\n`);
    const folder = installFolder({ name, source, key, env });
    rmSync(folder, { recursive: true, force: true });
    renameSync(partial, folder);
    return { name, version: probe.version, path: join(folder, name), source, status: 'ok' };
  } finally {
    rmSync(partial, { recursive: true, force: true });
  }
}

/** @param {string} name @param {ToolRecipe} recipe @param {NodeJS.ProcessEnv} env @returns {Tool | null} */
function cachedTool(name, recipe, env) {
  /** @type {[ToolSource, string][]} */
  const kept = [
    ['release', recipe.version],
    ['go', recipe.go.key],
  ];
  for (const [source, key] of kept) {
    const folder = installFolder({ name, source, key, env });
    const path = join(folder, name);
    if (!existsSync(path) || !existsSync(join(folder, 'install.json'))) continue;
    const note = JSON.parse(readFileSync(join(folder, 'install.json'), 'utf8'));
    // A cached program that was copied or truncated is built again, not run.
    if (note.bytes === statSync(path).size)
      return { name, version: note.version, path, source, status: 'ok' };
  }
  return null;
}

/** @param {string} name @param {ToolRecipe} recipe @param {string} path @returns {Promise<Tool>} */
async function configuredTool(name, recipe, path) {
  const setting = pathSettingOf(name);
  if (!isAbsolute(path)) throw new ToolError(`${setting} must be an absolute path, not "${path}"`);
  const probe = await probeVersion(recipe, path);
  if (probe === null) throw new ToolError(`${setting}: ${path} is not a ${name} that runs here`);
  return {
    name,
    version: probe.version,
    path,
    source: 'configured',
    status: probe.fits ? 'ok' : 'version_differs',
  };
}

/**
 * The version that the program reports, or null when it does not run or reports something else.
 * @param {ToolRecipe} recipe @param {string} path
 * @returns {Promise<{ version: string, fits: boolean } | null>}
 */
function probeVersion(recipe, path) {
  return new Promise((resolve) => {
    execFile(path, recipe.versionArguments, { timeout: 20_000 }, (err, stdout) => {
      const match = err === null ? new RegExp(recipe.versionPattern, 'm').exec(stdout) : null;
      if (match === null) return resolve(null);
      const [, version = '', server] = match;
      const fits =
        recipe.serverAtLeast === undefined
          ? version === recipe.version
          : server !== undefined && isAtLeast(server, recipe.serverAtLeast);
      resolve({ version: server === undefined ? version : `${version} (Server ${server})`, fits });
    });
  });
}

/** @param {string} name @param {NodeJS.ProcessEnv} env */
function candidatesOnPath(name, env) {
  return (env['PATH'] ?? '')
    .split(delimiter)
    .filter(isAbsolute)
    .map((folder) => join(folder, name))
    .filter(isExecutable);
}

/** @param {string} path */
function isExecutable(path) {
  try {
    accessSync(path, constants.X_OK);
    return statSync(path).isFile();
  } catch (err) {
    if (hasCode(err, 'ENOENT') || hasCode(err, 'EACCES') || hasCode(err, 'ENOTDIR')) return false;
    throw err;
  }
}

/** The folder where clones share tools. @param {NodeJS.ProcessEnv} env */
function cacheFolder(env) {
  const base = env['XDG_CACHE_HOME'];
  const root = base !== undefined && isAbsolute(base) ? base : join(env['HOME'] ?? homedir(), '.cache');
  const folder = join(root, 'secu', 'tools');
  mkdirSync(folder, { recursive: true });
  return folder;
}

/** @param {{ name: string, source: ToolSource, key: string, env: NodeJS.ProcessEnv }} what */
function installFolder({ name, source, key, env }) {
  return join(cacheFolder(env), `${name}-${key}-${platform()}-${source}`);
}

/**
 * Removes the leftovers of a killed installation; call it only while holding the lock.
 * @param {string} name @param {NodeJS.ProcessEnv} env
 */
function removePartials(name, env) {
  const folder = cacheFolder(env);
  for (const entry of readdirSync(folder)) {
    if (entry.startsWith(`.partial-${name}-`)) rmSync(join(folder, entry), { recursive: true, force: true });
  }
}

/** @param {string} name @param {ToolOptions} options @returns {ToolRecipe} */
function recipeOf(name, { manifest = readManifest() }) {
  const recipe = manifest[name];
  if (recipe === undefined)
    throw new ToolError(`there is no tool "${name}"; known: ${Object.keys(manifest).join(', ')}`);
  return recipe;
}

function platform() {
  return `${process.platform}-${process.arch}`;
}

/** @param {unknown} err */
function messageOf(err) {
  return typeof err === 'object' && err !== null && 'message' in err ? String(err.message) : String(err);
}
