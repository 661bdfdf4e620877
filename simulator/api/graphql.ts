import { canReadCode, canSee, roleOf } from '../projects.ts';
import type { Reply } from '../reply.ts';
import { jsonReply } from '../reply.ts';
import type { Project, User } from '../world.ts';
import { guard, READS } from './guard.ts';
import type { Route, RouteContext } from './route.ts';

const PAGE_ROWS = 50;

/** Answers every query with the head commits of the caller's projects, 50 per page. */
export const graphqlRoutes: Route[] = [{ method: 'POST', pattern: '/api/graphql', handle: heads }];

async function heads(context: RouteContext): Promise<Reply> {
  const { world, request } = context;
  const caller = guard({
    world,
    request,
    demand: { scopes: READS, scopeError: 'scope_generic', permission: null },
  });
  if ('status' in caller) return jsonReply(401, { errors: [{ message: 'Invalid token' }] });
  const after = cursorOf(JSON.parse(request.body.toString()));
  const rows = [...world.projects.values()].filter(
    (project) =>
      canSee(project, caller.user) && roleOf(project, caller.user).level >= 10 && project.id > after,
  );
  const page = rows.slice(0, PAGE_ROWS);
  const nodes = await Promise.all(page.map((project) => node({ context, project, user: caller.user })));
  const last = page.at(-1);
  const endCursor =
    last === undefined ? null : Buffer.from(JSON.stringify({ id: String(last.id) })).toString('base64url');
  const pageInfo = { hasNextPage: rows.length > page.length, endCursor };
  return jsonReply(200, { data: { projects: { pageInfo, nodes } } });
}

async function node({ context, project, user }: { context: RouteContext; project: Project; user: User }) {
  const readable = project.repositoryExists && canReadCode(project, user);
  const sha = readable ? await context.repositories.head(project, project.defaultBranch) : null;
  return {
    id: `gid://gitlab/Project/${project.id}`,
    fullPath: project.path,
    archived: project.archived,
    markedForDeletionOn: project.markedForDeletionOn,
    lastActivityAt: project.lastActivityAt.toISOString().replace(/\.\d+Z$/, 'Z'),
    repository: readable
      ? {
          exists: true,
          empty: sha === null,
          rootRef: sha === null ? null : project.defaultBranch,
          tree: sha === null ? null : { lastCommit: { sha } },
        }
      : null,
  };
}

function cursorOf(body: unknown): number {
  const text = /"after":"([\w-]+)"/.exec(JSON.stringify(body))?.[1];
  if (text === undefined) return 0;
  return Number(/"id":"(\d+)"/.exec(Buffer.from(text, 'base64url').toString())?.[1] ?? '0');
}
