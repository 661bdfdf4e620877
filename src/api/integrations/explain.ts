import { isSecuError, SecuError } from '../../domain/errors.ts';
import type { Explanation } from '../../domain/explain.ts';
import { explainKnown, explainLocated, explainUnlisted } from '../../domain/explain.ts';
import type { ApiDeps } from '../deps.ts';
import { found } from '../shared.ts';

/**
 * Explains why a repository is listed or not: from the database if it is known there, else by asking GitLab.
 * @throws SecuError `not_found` | `token_*` | `account_blocked` | `gitlab_*`
 */
export async function explainPath(input: { deps: ApiDeps; id: string; path: string }): Promise<Explanation> {
  const { deps, id, path } = input;
  const { stores } = deps.database;
  const integration = found(await stores.integrations.find(id), 'integration');
  const known = explainKnown(await stores.repositories.findByPath({ integrationId: id, path }));
  if (known !== null) return known;
  if (integration.cause === 'token_scope_missing') return explainUnlisted(path, 'token_scope_missing');
  if (integration.lastSyncAt === null) return explainUnlisted(path, 'not_synced_yet');
  try {
    const located = await deps.locate({ integrationId: id, path });
    const currentPath = located.kind === 'visible' ? located.repository.fullPath : path;
    // GitLab answers a former path with the current one, which the database may know
    const row = await stores.repositories.findByPath({ integrationId: id, path: currentPath });
    return explainKnown(row) ?? explainLocated(path, located);
  } catch (err) {
    if (isSecuError(err, 'token_scope_missing')) return explainUnlisted(path, 'token_scope_missing');
    throw err;
  }
}

/** Cleans a pasted path: removes the base URL, leading and trailing slashes, and `.git`. */
export function repositoryPathOf(text: string): string {
  const path = (URL.canParse(text) ? decodedPathname(new URL(text)) : text)
    .trim()
    .replace(/^\/+/, '')
    .replace(/(\/-\/.*)?\/*$/, '')
    .replace(/\.git$/, '');
  if (!/^[^/\s]+(\/[^/\s]+)+$/.test(path) || path.split('/').includes('..')) throw invalidPath();
  return path;
}

function decodedPathname({ pathname }: URL): string {
  try {
    return decodeURI(pathname);
  } catch {
    // a `%` that starts no valid UTF-8 sequence
    throw invalidPath();
  }
}

function invalidPath(): SecuError {
  return new SecuError('invalid_request', '"path" must be the path of a project, for example group/project');
}
