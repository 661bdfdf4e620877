import { createHash, randomUUID } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { WorkflowBundle } from '@temporalio/worker';
import { bundleWorkflowCode } from '@temporalio/worker';
import { SecuError } from '../domain/errors.ts';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
/** What the bundle is made of: the workflows, all that they may import, and the versions of the packages. */
const SOURCES = ['src/workflows', 'src/domain', 'package-lock.json'];

/**
 * The workflows as one isolated script, about 1.7 MB: the one that `writeWorkflowBundle` left if it was made of these
 * very sources, else made now in a second or two, which needs a folder that compiled programs can be unpacked to.
 * @throws SecuError `internal`
 */
export async function workflowBundle(): Promise<WorkflowBundle> {
  const file = bundleFile();
  return existsSync(file) ? { code: readFileSync(file, 'utf8') } : makeBundle();
}

/** Was the bundle of these sources made ahead? */
export function hasWorkflowBundle(): boolean {
  return existsSync(bundleFile());
}

/** Makes the bundle ahead, for an image. @returns where it lies @throws SecuError `internal` */
export async function writeWorkflowBundle(): Promise<string> {
  const { code } = await makeBundle();
  const file = bundleFile();
  mkdirSync(dirname(file), { recursive: true });
  const draft = `${file}.${randomUUID()}`;
  writeFileSync(draft, code);
  renameSync(draft, file);
  return file;
}

/** Named by what it is made of, so that one of other sources is never taken. */
function bundleFile(): string {
  const hash = createHash('sha256');
  for (const source of SOURCES.flatMap(filesOf))
    hash.update(`${source}\0`).update(readFileSync(join(ROOT, source)));
  return join(ROOT, 'dist', `workflows-${hash.digest('hex').slice(0, 32)}.js`);
}

function filesOf(source: string): string[] {
  if (!source.startsWith('src/')) return [source];
  const names = readdirSync(join(ROOT, source), { recursive: true, encoding: 'utf8' });
  return names
    .filter((name) => name.endsWith('.ts'))
    .sort()
    .map((name) => `${source}/${name}`);
}

async function makeBundle(): Promise<WorkflowBundle> {
  const said: string[] = [];
  const quiet = () => {};
  const error = (message: string) => void said.push(message);
  try {
    return await bundleWorkflowCode({
      workflowsPath: join(ROOT, 'src/workflows/index.ts'),
      logger: { log: quiet, trace: quiet, debug: quiet, info: quiet, warn: quiet, error },
    });
  } catch (err) {
    const [reason = ''] = said;
    throw new SecuError('internal', `the workflows cannot be bundled\n${reason}`.trimEnd(), { cause: err });
  }
}
