import type { Located } from '../domain/explain.ts';
import type { ListedRepository } from '../domain/repository.ts';
import type { ProjectsPageOptions } from './project-pages.ts';
import { REPORTER } from './project-pages.ts';

/** Reads of a client that locating is made of. All throw SecuError. */
export interface Lookups {
  /** By path or id; `null` where GitLab shows nothing. */
  read: (project: string | number) => Promise<ListedRepository | null>;
  /** The first project after this id of which the token is a member, with this role at least where one is given. */
  firstAfter: (options: ProjectsPageOptions) => Promise<{ gitlabProjectId: number } | null>;
}

/**
 * What GitLab shows the token of one project. The permissions in GitLab's answer do not tell the role where it comes
 * by an invited group, so the list itself is asked whether it would name the project.
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
