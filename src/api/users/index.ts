import type { Stores } from '../../db/stores/index.ts';
import type { UserView } from '../../db/stores/users.ts';
import { SecuError } from '../../domain/errors.ts';
import { USER_ROLES } from '../../domain/user.ts';
import { password, username } from '../auth/schemas.ts';
import { nameTaken } from '../auth/sign-in.ts';
import { accountSubject } from '../auth/throttle.ts';
import type { ApiDeps, AuditedBy } from '../deps.ts';
import { forRoleIdempotent } from '../middleware/idempotency.ts';
import {
  answers,
  auditEvent,
  auditedBy,
  createRoute,
  createRouter,
  emptyAnswer,
  forRole,
  found,
  idParam,
  iso,
  isoOrNull,
  jsonBody,
  listInput,
  listParams,
  pageSchema,
  presentPage,
  z,
} from '../shared.ts';

const tags = ['Users'];
const params = idParam('user');

const UserSchema = z
  .object({
    id: z.string(),
    username: z.string(),
    role: z.enum(USER_ROLES),
    source: z.enum(['local', 'oidc']),
    createdAt: z.iso.datetime(),
    lastSignInAt: z.iso.datetime().nullable(),
  })
  .openapi('User');

const NewUser = z.strictObject({ username, password, role: z.enum(USER_ROLES) }).openapi('NewUser');

const UserPatch = z
  .strictObject({ role: z.enum(USER_ROLES).optional(), password: password.optional() })
  .openapi('UserPatch');

const list = createRoute({
  ...forRole('admin'),
  tags,
  method: 'get',
  path: '/users',
  summary: 'List users, including those of single sign-on',
  request: { query: z.strictObject(listParams) },
  responses: answers(200, pageSchema(UserSchema, 'UserPage'), 'A page'),
});

const get = createRoute({
  ...forRole('admin'),
  tags,
  method: 'get',
  path: '/users/{id}',
  summary: 'Get a user',
  request: { params },
  responses: answers(200, UserSchema, 'The user', [404]),
});

const patch = createRoute({
  ...forRole('admin'),
  tags,
  method: 'patch',
  path: '/users/{id}',
  summary: 'Change role or password; a new password ends all sessions',
  request: { params, ...jsonBody(UserPatch) },
  responses: answers(200, UserSchema, 'Changed', [404, 409]),
});

const remove = createRoute({
  ...forRole('admin'),
  tags,
  method: 'delete',
  path: '/users/{id}',
  summary: 'Delete a user and their sessions',
  request: { params },
  responses: emptyAnswer('Removed', [404, 409]),
});

export function createUsersRouter(deps: ApiDeps) {
  const { users } = deps.database.stores;
  const create = createRoute({
    ...forRoleIdempotent('admin', deps),
    tags,
    method: 'post',
    path: '/users',
    summary: 'Create a local user',
    request: jsonBody(NewUser),
    responses: answers(201, UserSchema, 'Created', [409, 422]),
  });

  return createRouter()
    .openapi(list, async (c) =>
      c.json(presentPage(await users.list(listInput(c.req.valid('query'))), present), 200),
    )
    .openapi(get, async (c) => c.json(present(found(await users.find(c.req.valid('param').id), 'user')), 200))
    .openapi(create, async (c) => {
      const id = await addUser(deps, auditedBy(c), c.req.valid('json'));
      return c.json(present(found(await users.find(id), 'user')), 201, { Location: `/api/v1/users/${id}` });
    })
    .openapi(patch, async (c) => {
      const { id } = c.req.valid('param');
      await changeUser(deps, auditedBy(c), { id, ...c.req.valid('json') });
      return c.json(present(found(await users.find(id), 'user')), 200);
    })
    .openapi(remove, async (c) => {
      await removeUser(deps, auditedBy(c), c.req.valid('param').id);
      return c.body(null, 204);
    });
}

async function addUser(deps: ApiDeps, by: AuditedBy, body: z.infer<typeof NewUser>): Promise<string> {
  const { username: name, role } = body;
  const passwordHash = await deps.passwords.hash({ password: body.password, username: name });
  const now = deps.now();
  return deps.database.transaction(async (tx) => {
    const id = await tx.users.add({ username: name, role, source: 'local', passwordHash, now });
    if (id === null) throw nameTaken(name);
    if (role === 'admin') await tx.setupCodes.removeAll();
    const text = `The account "${name}" (${role}) was created.`;
    await tx.events.add([auditEvent(by, { kind: 'user.created', text, data: { userId: id, role } })], now);
    return id;
  });
}

async function changeUser(
  deps: ApiDeps,
  by: AuditedBy,
  { id, role, password: newPassword }: { id: string } & z.infer<typeof UserPatch>,
): Promise<void> {
  const before = found(await deps.database.stores.users.find(id), 'user');
  if (before.source === 'oidc') throw managedElsewhere();
  const passwordHash =
    newPassword === undefined
      ? null
      : await deps.passwords.hash({ password: newPassword, username: before.username });
  const now = deps.now();
  await deps.database.transaction(async (tx) => {
    const administrators = await tx.users.lockAdministrators();
    const user = found(await tx.users.find(id), 'user');
    const data = { userId: id };
    if (role !== undefined && role !== user.role) {
      assertOtherAdministrator(administrators, user);
      await tx.users.setRole({ id, role });
      if (role === 'admin') await tx.setupCodes.removeAll();
      const text = `"${user.username}" is ${role} now; before: ${user.role}.`;
      await tx.events.add([auditEvent(by, { kind: 'user.changed', text, data: { ...data, role } })], now);
    }
    if (passwordHash !== null) {
      await tx.users.setPassword({ id, passwordHash, now });
      await tx.sessions.endAllOf(id);
      await tx.signInTries.forget(accountSubject(deps, user.username));
      const text = `"${user.username}" has a new password; all sessions ended.`;
      await tx.events.add([auditEvent(by, { kind: 'user.password_changed', text, data })], now);
    }
  });
}

async function removeUser(deps: ApiDeps, by: AuditedBy, id: string): Promise<void> {
  const now = deps.now();
  await deps.database.transaction(async (tx: Stores) => {
    const administrators = await tx.users.lockAdministrators();
    const user = found(await tx.users.find(id), 'user');
    assertOtherAdministrator(administrators, user);
    found((await tx.users.remove(id)) || null, 'user');
    const text = `"${user.username}" (${user.role}) was removed.`;
    await tx.events.add([auditEvent(by, { kind: 'user.removed', text, data: { userId: id } })], now);
  });
}

/** @throws SecuError `last_administrator` if this user is the last administrator */
function assertOtherAdministrator(administrators: readonly string[], user: UserView): void {
  if (user.role !== 'admin' || administrators.length > 1) return;
  throw new SecuError(
    'last_administrator',
    `"${user.username}" is the last administrator; create another one first`,
  );
}

function managedElsewhere(): SecuError {
  return new SecuError(
    'managed_by_environment',
    'this user signs in by single sign-on; the provider manages role and password',
  );
}

function present(view: UserView): z.infer<typeof UserSchema> {
  return { ...view, createdAt: iso(view.createdAt), lastSignInAt: isoOrNull(view.lastSignInAt) };
}
