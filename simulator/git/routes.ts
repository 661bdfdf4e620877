import type { Reply } from '../reply.ts';
import { gitError, textReply } from '../reply.ts';
import type { SimulatedRequest } from '../request.ts';
import type { World } from '../world.ts';
import { authorizeFetch } from './access.ts';
import type { BanList } from './bans.ts';
import { runHttpBackend } from './http-backend.ts';
import type { Repositories } from './repositories.ts';

export type GitService = { path: string; service: 'info/refs' | 'git-upload-pack' | 'git-receive-pack' };

/** The repository and service of a Git address, or null for another address. */
export function gitServiceOf(pathname: string): GitService | null {
  const match = /^\/(.+)\.git\/(info\/refs|git-upload-pack|git-receive-pack)$/.exec(pathname);
  const [, path, service] = match ?? [];
  if (path === undefined) return null;
  if (service !== 'info/refs' && service !== 'git-upload-pack' && service !== 'git-receive-pack') return null;
  return { path: decodePath(path), service };
}

/** Whether this request fetches objects, which a clone does once and `ls-remote` never does. */
export function isPackFetch(request: SimulatedRequest): boolean {
  if (!request.pathname.endsWith('/git-upload-pack')) return false;
  return (
    request.headers['git-protocol'] !== 'version=2' ||
    request.body.subarray(4, 17).toString() === 'command=fetch'
  );
}

export async function serveGit(options: {
  world: World;
  repositories: Repositories;
  bans: BanList;
  backend: string;
  request: SimulatedRequest;
  git: GitService;
}): Promise<Reply> {
  const { world, request, git } = options;
  const service = git.service === 'info/refs' ? request.query.get('service') : git.service;
  if (request.method === 'HEAD') return textReply(403, '');
  if (service === null) return gitError(world, 'dumb_protocol');
  const project = authorizeFetch({ world, request, path: git.path, bans: options.bans });
  if ('status' in project) return project;
  if (service !== 'git-upload-pack' || git.service === 'git-receive-pack') {
    return textReply(403, 'You are not allowed to push code to this project.');
  }
  await options.repositories.folderOf(project);
  const protocol = request.headers['git-protocol'];
  return runHttpBackend(options.backend, {
    method: request.method,
    root: options.repositories.root,
    repository: options.repositories.nameOf(project),
    service: git.service,
    query: request.query.toString(),
    contentType: request.headers['content-type'] ?? '',
    protocol: typeof protocol === 'string' ? protocol : undefined,
    body: request.body,
  });
}

function decodePath(path: string): string {
  try {
    return decodeURIComponent(path);
  } catch (error) {
    if (!(error instanceof URIError)) throw error;
    return path;
  }
}
