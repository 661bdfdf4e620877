import { entryOf } from '../data.ts';
import type { Reply } from '../reply.ts';
import { jsonReply } from '../reply.ts';
import type { User, World } from '../world.ts';
import { isBot } from '../world.ts';
import type { Demand } from './guard.ts';
import { guard, READS } from './guard.ts';
import type { Route, RouteContext } from './route.ts';

const READ_USER: Demand = {
  scopes: ['read_user', ...READS],
  scopeError: 'scope_user',
  permission: { name: 'read_user', shown: 'user permissions: [User: Read]' },
};
const READ_METADATA: Demand = {
  scopes: READS,
  scopeError: 'scope_generic',
  permission: { name: 'read_metadata', shown: 'instance permissions: [Metadata: Read]' },
};
const TEMPLATES: Record<User['kind'], string> = {
  human: 'human',
  service_account: 'group_service_account',
  group_token_bot: 'group_access_token_bot',
  project_token_bot: 'project_access_token_bot',
};

export const instanceRoutes: Route[] = [
  { method: 'GET', pattern: '/api/v4/user', handle: showUser },
  { method: 'GET', pattern: '/api/v4/metadata', handle: showMetadata },
  { method: 'GET', pattern: '/api/v4/version', handle: showVersion },
];

function showUser({ world, request }: RouteContext): Reply {
  const caller = guard({ world, request, demand: READ_USER });
  return 'status' in caller ? caller : jsonReply(200, userEntity(world, caller.user));
}

function userEntity(world: World, user: User): Record<string, unknown> {
  const { externalUrl } = world.settings;
  const email = isBot(user)
    ? `${user.username}@noreply.${new URL(externalUrl).hostname}`
    : `${user.username}@example.com`;
  return {
    ...entryOf(world.data.users, TEMPLATES[user.kind]),
    id: user.id,
    username: user.username,
    name: user.name,
    web_url: `${externalUrl}/${user.username}`,
    created_at: user.createdAt.toISOString(),
    confirmed_at: user.createdAt.toISOString(),
    last_activity_on: world.clock.today(),
    bot: isBot(user),
    email,
    commit_email: email,
  };
}

function showMetadata({ world, request }: RouteContext): Reply {
  const caller = guard({ world, request, demand: READ_METADATA });
  return 'status' in caller ? caller : jsonReply(200, world.data.metadata);
}

function showVersion({ world, request }: RouteContext): Reply {
  const caller = guard({ world, request, demand: READ_METADATA });
  if ('status' in caller) return caller;
  const { version, revision } = world.data.metadata;
  return jsonReply(200, { version, revision });
}
