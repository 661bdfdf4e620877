import { canReadCode, lastSegment } from '../projects.ts';
import type { Reply } from '../reply.ts';
import { apiError, jsonReply } from '../reply.ts';
import type { Project } from '../world.ts';
import type { Caller, Demand } from './guard.ts';
import { offsetHeaders, page } from './paging.ts';
import { findProject, READ_PROJECT } from './projects.ts';
import type { Route, RouteContext } from './route.ts';

const READ_CODE: Demand = {
  ...READ_PROJECT,
  permission: { name: 'download_code', shown: 'project permissions: [Code: Download]' },
};
const COMMIT_FORMAT = ['%H', '%P', '%an', '%ae', '%aI', '%cn', '%ce', '%cI', '%s', '%B'].join('%x00');

export const repositoryRoutes: Route[] = [
  { method: 'GET', pattern: '/api/v4/projects/:id/repository/branches', handle: listBranches },
  { method: 'GET', pattern: '/api/v4/projects/:id/repository/branches/:branch', handle: showBranch },
  { method: 'GET', pattern: '/api/v4/projects/:id/repository/archive', handle: archive },
  { method: 'GET', pattern: '/api/v4/projects/:id/repository/archive.tar.gz', handle: archive },
];

function findCode(context: RouteContext): { project: Project; caller: Caller } | Reply {
  const found = findProject(context, READ_CODE);
  if ('status' in found) return found;
  if (canReadCode(found.project, found.caller.user)) return found;
  return jsonReply(403, { message: '403 Forbidden' });
}

async function showBranch(context: RouteContext): Promise<Reply> {
  const found = findCode(context);
  if ('status' in found) return found;
  const { project } = found;
  const { repositories } = context;
  const name = context.params['branch'] ?? '';
  const commit = project.repositoryExists ? await repositories.head(project, name) : null;
  if (commit === null) return jsonReply(404, { message: '404 Branch Not Found' });
  return jsonReply(200, await branchEntity({ context, project, name, commit }));
}

async function listBranches(context: RouteContext): Promise<Reply> {
  const found = findCode(context);
  if ('status' in found) return found;
  const { project } = found;
  const { world, repositories, request } = context;
  const format = '--format=%(objectname) %(refname:lstrip=2)';
  const printed = await repositories.git(project, ['for-each-ref', format, 'refs/heads']);
  const branches = printed.toString().split('\n').slice(0, -1);
  const { number, size } = page(request.query);
  const entities = branches.slice((number - 1) * size, number * size).map((line) => {
    const space = line.indexOf(' ');
    return branchEntity({ context, project, commit: line.slice(0, space), name: line.slice(space + 1) });
  });
  const url = `${world.settings.externalUrl}/api/v4/projects/${project.id}/repository/branches`;
  const urlOf = (other: number) => `${url}?page=${other}&per_page=${size}`;
  return jsonReply(
    200,
    await Promise.all(entities),
    offsetHeaders({ number, size, total: branches.length, urlOf }),
  );
}

async function branchEntity(options: {
  context: RouteContext;
  project: Project;
  name: string;
  commit: string;
}) {
  const { context, project, name, commit } = options;
  const { world } = context;
  const url = `${world.settings.externalUrl}/${project.path}`;
  return {
    ...world.data.branch,
    name,
    commit: await commitEntity({ context, project, commit, url }),
    default: name === project.defaultBranch,
    protected: name === project.defaultBranch || project.protectedBranches.has(name),
    web_url: `${url}/-/tree/${name}`,
  };
}

async function commitEntity(options: {
  context: RouteContext;
  project: Project;
  commit: string;
  url: string;
}) {
  const { context, project, commit, url } = options;
  const output = await context.repositories.git(project, ['log', '-1', `--format=${COMMIT_FORMAT}`, commit]);
  const [
    id = '',
    parents = '',
    author,
    authorEmail,
    authored,
    committer,
    committerEmail,
    committed,
    title,
    message = '',
  ] = output.toString().split('\0');
  return {
    id,
    short_id: id.slice(0, 8),
    created_at: committed,
    parent_ids: parents === '' ? [] : parents.split(' '),
    title,
    message: message.trimEnd(),
    author_name: author,
    author_email: authorEmail,
    authored_date: authored,
    committer_name: committer,
    committer_email: committerEmail,
    committed_date: committed,
    trailers: {},
    extended_trailers: {},
    web_url: `${url}/-/commit/${id}`,
  };
}

// Built on request; like in GitLab, without the files that `export-ignore` excludes.
async function archive(context: RouteContext): Promise<Reply> {
  const found = findCode(context);
  if ('status' in found) return found;
  const { project } = found;
  const commit = await context.repositories.head(
    project,
    context.request.query.get('sha') ?? project.defaultBranch,
  );
  if (commit === null) return apiError(context.world, 'granular_hidden');
  const name = `${lastSegment(project.path)}-${commit}`;
  const bytes = await context.repositories.git(project, [
    'archive',
    '--format=tar.gz',
    `--prefix=${name}/`,
    commit,
  ]);
  const headers = {
    'Content-Type': 'application/octet-stream',
    'Content-Disposition': `attachment; filename="${name}.tar.gz"`,
  };
  return { status: 200, headers, body: bytes };
}
