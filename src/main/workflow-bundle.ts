import { createHash, randomUUID } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { WorkflowBundle } from '@temporalio/worker';
import { bundleWorkflowCode } from '@temporalio/worker';
import { SecuError } from '../domain/errors.ts';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
/** Inputs of the bundle: the workflows, everything that they may import, and the package versions. */
const SOURCES = ['src/workflows', 'src/domain', 'package-lock.json'];

/**
 * The workflows as one isolated script of about 1.7 MB. Uses the file of `writeWorkflowBundle` if it was built from the same
 * sources. Otherwise builds it in one or two seconds, which needs a folder that allows executing programs.
 * @throws SecuError `internal`
 */
export async function workflowBundle(): Promise<WorkflowBundle> {
  const file = bundleFile();
  return existsSync(file) ? { code: readFileSync(file, 'utf8') } : buildBundle();
}

/** Whether a bundle of these sources exists. */
export function hasWorkflowBundle(): boolean {
  return existsSync(bundleFile());
}

/** Builds the bundle in advance. @returns its path @throws SecuError `internal` */
export async function writeWorkflowBundle(): Promise<string> {
  const { code } = await buildBundle();
  const file = bundleFile();
  mkdirSync(dirname(file), { recursive: true });
  const temporaryFile = `${file}.${randomUUID()}`;
  writeFileSync(temporaryFile, code);
  renameSync(temporaryFile, file);
  return file;
}

/** The name is a hash of the inputs, so a bundle of other sources is never used. */
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

async function buildBundle(): Promise<WorkflowBundle> {
  const errors: string[] = [];
  const ignore = () => {};
  const error = (message: string) => void errors.push(message);
  try {
    return await bundleWorkflowCode({
      workflowsPath: join(ROOT, 'src/workflows/index.ts'),
      logger: { log: ignore, trace: ignore, debug: ignore, info: ignore, warn: ignore, error },
    });
  } catch (err) {
    const [reason = ''] = errors;
    throw new SecuError('internal', `the workflow bundle could not be built\n${reason}`.trimEnd(), {
      cause: err,
    });
  }
}
