import type { Repositories } from './git/repositories.ts';
import { projectByPath } from './projects.ts';
import type { Reply } from './reply.ts';
import { htmlReply } from './reply.ts';
import type { SimulatedRequest } from './request.ts';
import type { Project, World } from './world.ts';

const MAX_SHOWN_BYTES = 512 * 1024;

/**
 * Pages for browsers: files at a commit, so that permalinks work; everything else redirects to the sign-in page.
 */
export async function servePage(options: {
  world: World;
  repositories: Repositories;
  request: SimulatedRequest;
}): Promise<Reply> {
  const { world, repositories, request } = options;
  const [path, commit, file] =
    /^\/(.+?)\/-\/blob\/([0-9a-f]{7,64})\/(.+)$/.exec(request.pathname)?.slice(1) ?? [];
  const project = path === undefined ? undefined : projectByPath(world, decodeURIComponent(path));
  if (project?.repositoryExists === true && commit !== undefined && file !== undefined) {
    const name = `${commit}:${decodeURIComponent(file)}`;
    return pageOf(repositories, project, name);
  }
  if (request.pathname === '/users/sign_in') return htmlReply(200, 'Sign in · GitLab');
  return {
    status: 302,
    headers: { Location: `${world.settings.externalUrl}/users/sign_in` },
    body: Buffer.alloc(0),
  };
}

async function pageOf(repositories: Repositories, project: Project, name: string): Promise<Reply> {
  try {
    return blobPage(name, await repositories.git(project, ['cat-file', 'blob', name]));
  } catch (error) {
    // git says `fatal` if the file does not exist at this commit; any other error is a bug of the simulator
    if (!(error instanceof Error && /fatal: /.test(error.message))) throw error;
    return htmlReply(404, 'The page could not be found');
  }
}

function blobPage(name: string, bytes: Buffer): Reply {
  const lines = bytes.subarray(0, MAX_SHOWN_BYTES).toString().split('\n');
  const rows = lines.map(
    (line, index) => `<div id="L${index + 1}"><i>${index + 1}</i> ${escapeHtml(line)}</div>`,
  );
  const style = 'pre{font:14px monospace}i{color:#888;user-select:none}:target{background:#ffc}';
  const page = `<!DOCTYPE html><html><head><meta charset="utf-8"><title>${escapeHtml(name)}</title><style>${style}</style></head><body><pre>${rows.join('')}</pre></body></html>`;
  const headers = {
    'Content-Type': 'text/html; charset=utf-8',
    'Content-Security-Policy': "default-src 'none'; style-src 'unsafe-inline'",
  };
  return { status: 200, headers, body: Buffer.from(page) };
}

function escapeHtml(text: string): string {
  return text
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;');
}
