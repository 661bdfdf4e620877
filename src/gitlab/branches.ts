import { Branches } from '@gitbeaker/rest';
import { z } from 'zod';
import { parse } from './parse.ts';
import type { ResourceConfig } from './project-pages.ts';

const PER_PAGE = 100;
/** More branches than these are not looked at. */
const MAX_PAGES = 50;

const BranchItems = z.array(z.unknown()).max(1_000);
/** Items of `GET /projects/:id/repository/branches`. */
const ProtectedBranch = z.object({ name: z.string().max(1_024), protected: z.literal(true) });

/** The names of the protected branches of a project. An item that cannot be read is not protected. */
export async function requestProtectedBranches(input: {
  resource: ResourceConfig;
  gitlabProjectId: number;
}): Promise<Set<string>> {
  const names = new Set<string>();
  for (let page = 1; page <= MAX_PAGES; page += 1) {
    const items = parse(
      BranchItems,
      await new Branches(input.resource).all(input.gitlabProjectId, { perPage: PER_PAGE, page, maxPages: 1 }),
    );
    for (const item of items) {
      const branch = ProtectedBranch.safeParse(item).data;
      if (branch !== undefined) names.add(branch.name);
    }
    if (items.length < PER_PAGE) break;
  }
  return names;
}
