import { timingSafeEqual } from 'node:crypto';
import type { ServerResponse } from 'node:http';

import { z } from 'zod';

import type { SimulatorControl } from './control.ts';
import { FaultAnswer } from './faults.ts';
import { expectationsOf } from './recipes/index.ts';
import type { Recipe } from './recipes/recipe.ts';
import { jsonReply } from './reply.ts';
import type { SimulatedRequest } from './request.ts';

/** Path of the control API, which does not depend on the instance's base path. */
export const CONTROL_PATH = '/_simulator/';

const Ref = z.union([z.number().int(), z.string()]);
const Role = z.object({ level: z.number().int(), via: z.enum(['group', 'project', 'invited_group']) });
const UserId = z.number().int();
const TokenId = z.number().int();
const Files = z.record(z.string(), z.union([z.string(), z.null()]));
const GranularScope = z.object({
  access: z.enum(['user', 'instance', 'all_memberships', 'personal_projects', 'selected_memberships']),
  permissions: z.array(z.string()),
  projectIds: z.array(z.number().int()).optional(),
});
const NewToken = z.object({
  userId: UserId.optional(),
  scopes: z.array(z.string()).optional(),
  expiresAt: z.iso.date().nullable().optional(),
  name: z.string().optional(),
  description: z.string().nullable().optional(),
  kind: z.enum(['personal', 'oauth', 'deploy']).optional(),
  granular: z.array(GranularScope).optional(),
  listsGranularScopes: z.boolean().optional(),
  fields: z.enum(['current', 'before_17_7']).optional(),
  shape: z.enum(['classic', 'routable']).optional(),
});
const NewUser = z.object({
  username: z.string().optional(),
  name: z.string().optional(),
  kind: z.enum(['human', 'service_account', 'group_token_bot', 'project_token_bot']).optional(),
  member: z.boolean().optional(),
});
const NewFault = z.object({
  match: z.object({
    method: z.string().optional(),
    path: z.union([z.string(), z.object({ regexp: z.string() })]),
    fetchOnly: z.boolean().optional(),
    nth: z.number().int().optional(),
    times: z.number().int().optional(),
  }),
  answer: FaultAnswer,
});

type Operation = (control: SimulatorControl, body: unknown) => unknown;

/** `POST /_simulator/<name>` with one JSON object calls the control method of that name. */
const OPERATIONS: Record<string, Operation> = {
  setClock: (control, body) =>
    control.setClock(z.object({ to: z.union([z.string(), z.number()]) }).parse(body).to),
  createUser: (control, body) => control.createUser(NewUser.parse(body)),
  blockUser(control, body) {
    const { userId, state } = z
      .object({ userId: UserId, state: z.enum(['active', 'blocked', 'terms']).optional() })
      .parse(body);
    control.blockUser(userId, state);
  },
  createToken: (control, body) => control.createToken(NewToken.parse(body)),
  revokeToken: (control, body) => control.revokeToken(z.object({ tokenId: TokenId }).parse(body).tokenId),
  deleteToken: (control, body) => control.deleteToken(z.object({ tokenId: TokenId }).parse(body).tokenId),
  setTokenScopes(control, body) {
    const { tokenId, scopes } = z.object({ tokenId: TokenId, scopes: z.array(z.string()) }).parse(body);
    control.setTokenScopes(tokenId, scopes);
  },
  setTokenExpiry(control, body) {
    const { tokenId, expiresAt } = z
      .object({ tokenId: TokenId, expiresAt: z.iso.date().nullable() })
      .parse(body);
    control.setTokenExpiry(tokenId, expiresAt);
  },
  renameProject(control, body) {
    const { project, path } = z.object({ project: Ref, path: z.string() }).parse(body);
    control.renameProject(project, path);
  },
  removeProject: (control, body) => control.removeProject(z.object({ project: Ref }).parse(body).project),
  setRole: (control, body) => control.setRole(Role.extend({ project: Ref, userId: UserId }).parse(body)),
  setDefaultRole(control, body) {
    const { project, level, via } = Role.extend({ project: Ref }).parse(body);
    control.setDefaultRole(project, { level, via });
  },
  archive(control, body) {
    const { project, archived } = z.object({ project: Ref, archived: z.boolean().optional() }).parse(body);
    control.archive(project, archived);
  },
  disableRepository(control, body) {
    const { project, disabled } = z.object({ project: Ref, disabled: z.boolean().optional() }).parse(body);
    control.disableRepository(project, disabled);
  },
  protectBranch(control, body) {
    const { project, branch } = z.object({ project: Ref, branch: z.string() }).parse(body);
    control.protectBranch(project, branch);
  },
  pushCommit: (control, body) =>
    control.pushCommit(
      z
        .object({ project: Ref, files: Files, message: z.string().optional(), branch: z.string().optional() })
        .parse(body),
    ),
  async addProject(control, body) {
    const { name, path, files } = z.object({ name: z.string(), path: z.string(), files: Files }).parse(body);
    const commits = () => [{ message: 'Begin', files }];
    return control.addProject({
      name,
      about: 'added',
      path,
      commits,
      expect: { listed: true, findings: [] },
    });
  },
  // `up` cannot be called while the simulator is down, so `down` takes a duration.
  down(control, body) {
    const { forMs } = z.object({ forMs: z.number().int().min(1) }).parse(body);
    setTimeout(() => void control.down().then(() => setTimeout(() => void control.up(), forMs)), 10);
  },
  addFault(control, body) {
    const { match, answer } = NewFault.parse(body);
    const path = typeof match.path === 'string' ? match.path : new RegExp(match.path.regexp);
    return { id: control.faults.add({ match: { ...match, path }, answer }).id };
  },
  clearFaults: (control) => control.faults.clear(),
  resetRequests: (control) => control.requests.reset(),
};

const VIEWS: Record<string, (control: SimulatorControl, recipes: Recipe[]) => unknown> = {
  requests: (control) => control.requests.list(),
  counts: (control) => control.requests.counts(),
  clones: (control) => control.requests.clones(),
  authorizations: (control) => control.requests.authorizationsSeen(),
  faults: (control) => control.faults.list(),
  failures: (control) => control.failures(),
  expectations: (_control, recipes) => expectationsOf(recipes),
};

/** Answers a request of the process that controls the simulator; `X-Simulator-Key` carries the key. */
export async function answerControl(options: {
  control: SimulatorControl;
  controlKey: string;
  recipes: Recipe[];
  request: SimulatedRequest;
  response: ServerResponse;
}): Promise<void> {
  const { control, request, response } = options;
  const send = (status: number, value: unknown) => {
    const reply = jsonReply(status, value ?? {});
    response.writeHead(status, reply.headers);
    response.end(reply.body);
  };
  if (!isKey(request.headers['x-simulator-key'], options.controlKey))
    return send(401, { error: 'wrong key' });
  const name = request.pathname.slice(CONTROL_PATH.length);
  const view = request.method === 'GET' ? VIEWS[name] : undefined;
  if (view !== undefined) return send(200, view(control, options.recipes));
  const operation = request.method === 'POST' ? OPERATIONS[name] : undefined;
  if (operation === undefined) return send(404, { error: 'no such control' });
  try {
    const body: unknown = request.body.length === 0 ? {} : JSON.parse(request.body.toString());
    send(200, await operation(control, body));
  } catch (error) {
    send(400, { error: error instanceof Error ? error.message : String(error) });
  }
}

function isKey(given: string | string[] | undefined, key: string): boolean {
  if (typeof given !== 'string') return false;
  const [a, b] = [Buffer.from(given), Buffer.from(key)];
  return a.length === b.length && timingSafeEqual(a, b);
}
