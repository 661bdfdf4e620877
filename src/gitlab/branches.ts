import { Branches } from '@gitbeaker/rest';
import { z } from 'zod';
import { parse } from './parse.ts';
import type { ResourceConfig } from './project-pages.ts';

const PER_PAGE = 100;
const MAX_PAGES = 50;
/** The limit of branches that are asked for; the protected ones among the others are unknown. */
export const MAX_ASKED_BRANCHES = PER_PAGE * MAX_PAGES;

const BranchItems = z.array(z.unknown()).max(1_000);
/** Items of `GET /projects/:id/repository/branches`. */
const Branch = z.object({ name: z.string().max(1_024), protected: z.boolean() });

export interface ProtectedBranches {
  names: ReadonlySet<string>;
  /** False if there may be more: an item could not be read, or there are too many branches. */
  isComplete: boolean;
}

/** Reads the protected branches of a project, page by page and item by item. */
export function requestProtectedBranches(input: {
  resource: ResourceConfig;
  gitlabProjectId: number;
}): Promise<ProtectedBranches> {
  const { resource, gitlabProjectId } = input;
  return readProtectedBranches(async (page) =>
    parse(
      BranchItems,
      await new Branches(resource).all(gitlabProjectId, { perPage: PER_PAGE, page, maxPages: 1 }),
    ),
  );
}

/** `readPage` returns the items of a page, counted from 1. */
export async function readProtectedBranches(
  readPage: (page: number) => Promise<readonly unknown[]>,
): Promise<ProtectedBranches> {
  const names = new Set<string>();
  let isComplete = true;
  for (let page = 1; page <= MAX_PAGES; page += 1) {
    const items = await readPage(page);
    for (const item of items) {
      const branch = Branch.safeParse(item).data;
      if (branch === undefined) isComplete = false;
      else if (branch.protected) names.add(branch.name);
    }
    if (items.length < PER_PAGE) return { names, isComplete };
  }
  return { names, isComplete: false };
}
