import type { Located } from '../domain/explain.ts';
import type { ListedRepository } from '../domain/repository.ts';
import type { ProjectsPageOptions } from './project-pages.ts';
import { REPORTER } from './project-pages.ts';

/** The methods of the client that `locateProject` needs. All throw SecuError. */
export interface Lookups {
  /** One project by path or ID; `null` if the token cannot see it. */
  read: (project: string | number) => Promise<ListedRepository | null>;
  /** The first project after this ID of which the token is a member, with at least this role if one is given. */
  firstAfter: (options: ProjectsPageOptions) => Promise<{ gitlabProjectId: number } | null>;
}

/**
 * What the token can see of one project. GitLab's permissions omit roles from invited groups, so the list is asked
 * whether it contains the project.
 */
export async function locateProject(path: string, { read, firstAfter }: Lookups): Promise<Located> {
  const repository = await read(path);
  if (repository === null) return { kind: 'not_visible' };
  const id = repository.gitlabProjectId;
  const isListed = async (minAccessLevel: number | null) =>
    (await firstAfter({ idAfter: id - 1, minAccessLevel }))?.gitlabProjectId === id;
  if (await isListed(REPORTER)) return { kind: 'visible', repository, role: 'reads' };
  return { kind: 'visible', repository, role: (await isListed(null)) ? 'too_low' : 'none' };
}
