import { currentCredential, openToken } from '../activities/token/credential.ts';
import type { Database } from '../db/database.ts';
import { SecuError } from '../domain/errors.ts';
import type { Located } from '../domain/explain.ts';
import type { GitlabClient } from '../gitlab/client.ts';
import type { Vault } from '../vault/vault.ts';

const TIMEOUT_MS = 10_000;

/** Asks GitLab about one project with the token of an integration. */
export function createLocator(parts: { database: Database; vault: Vault; gitlab: GitlabClient }) {
  return async ({ integrationId, path }: { integrationId: string; path: string }): Promise<Located> => {
    const { database, vault, gitlab } = parts;
    const found = await currentCredential(database.stores, integrationId);
    if (found === null) throw new SecuError('not_found', 'the integration does not exist');
    const token = openToken({ vault, credential: found.credential });
    const api = gitlab.forToken({ baseUrl: found.integration.baseUrl, token, interactive: true });
    const signal = AbortSignal.timeout(TIMEOUT_MS);
    try {
      return await api.locateProject(path, { signal });
    } catch (err) {
      if (!signal.aborted) throw err;
      throw new SecuError('gitlab_unreachable', 'GitLab did not respond in time', { cause: err });
    }
  };
}
