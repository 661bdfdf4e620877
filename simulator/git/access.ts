import { canReadCode, canSee, projectByPath, refusedByPolicy, withinBoundary } from '../projects.ts';
import type { Reply } from '../reply.ts';
import { gitError } from '../reply.ts';
import type { SimulatedRequest } from '../request.ts';
import { credentialsOf } from '../request.ts';
import { findTokenBySecret, isExpired, markUsed } from '../tokens.ts';
import type { Project, Token, User, World } from '../world.ts';
import { isBot, userById } from '../world.ts';
import type { BanList } from './bans.ts';

const CODE_SCOPES = ['api', 'read_api', 'read_repository', 'write_repository'];

/**
 * Decides which fetches are allowed, with GitLab's own text for each refusal.
 * @see GitLab source, `lib/gitlab/git_access.rb`, `lib/gitlab/auth.rb`
 */
export function authorizeFetch(options: {
  world: World;
  request: SimulatedRequest;
  path: string;
  bans: BanList;
}): Project | Reply {
  const { world, request, bans } = options;
  if (bans.isBanned(request.address)) return gitError(world, 'ip_banned');
  if (!world.settings.gitOverHttp) return gitError(world, 'http_disabled');
  const project = projectByPath(world, options.path);
  const credentials = credentialsOf(request);
  if (credentials.kind !== 'basic') return anonymous(world, project);
  const token = findTokenBySecret(world, credentials.secret);
  if (credentials.username === '' || token === undefined || token.revoked || isExpired(world, token)) {
    bans.countFailure(request.address);
    return gitError(world, 'bad_token_in_header');
  }
  bans.forgive(request.address);
  const user = userById(world, token.userId);
  const refusal = refusalOf({ world, token, user, project });
  if (refusal !== null) return refusal;
  markUsed(world, token);
  return servable(world, project);
}

function anonymous(world: World, project: Project | undefined): Project | Reply {
  const open =
    project?.visibility === 'public' && project.repositoryAccess === 'enabled' && !project.ipRestricted;
  return open ? servable(world, project) : gitError(world, 'no_credentials');
}

function refusalOf(options: {
  world: World;
  token: Token;
  user: User;
  project: Project | undefined;
}): Reply | null {
  const { world, token, user, project } = options;
  if (user.state === 'blocked') return denied(world, 'Your account has been blocked.');
  if (user.state === 'terms')
    return denied(
      world,
      `You (@${user.username}) must accept the Terms of Service in order to perform this action.`,
    );
  if (
    token.granular === null &&
    token.kind === 'personal' &&
    !CODE_SCOPES.some((scope) => token.scopes.includes(scope))
  ) {
    return gitError(world, 'scope_without_code');
  }
  if (project === undefined || !canSee(project, user)) {
    return gitError(world, isBot(user) ? 'not_visible_bot' : 'not_visible_human');
  }
  if (refusedByPolicy({ token, user, project })) return gitError(world, 'granular_enforced');
  if (!withinBoundary({ token, project, permission: 'download_code' }))
    return gitError(world, 'granular_enforced');
  if (!canReadCode(project, user)) return gitError(world, 'role_without_code_or_repository_off');
  if (project.ssoEnforced && !isBot(user)) {
    const group = project.path.split('/')[0] ?? '';
    return gitError(world, 'sso_session', {
      fill: { 'groups/acme': `groups/${group}`, '<token>': 'sso-session-token' },
    });
  }
  return null;
}

function servable(world: World, project: Project | undefined): Project | Reply {
  return project?.repositoryExists === true ? project : gitError(world, 'no_repository');
}

function denied(world: World, text: string): Reply {
  return { ...gitError(world, 'role_without_code_or_repository_off'), body: Buffer.from(text) };
}
