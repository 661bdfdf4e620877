import type { Stores } from '../../db/stores/index.ts';
import type { UserView } from '../../db/stores/users.ts';
import { SecuError } from '../../domain/errors.ts';
import type { SignedOn } from '../../domain/ports.ts';
import type { Secret } from '../../domain/secret.ts';
import type { UserRole } from '../../domain/user.ts';
import type { ApiDeps } from '../deps.ts';
import { actorOf } from '../middleware/authenticate.ts';
import { newSessionToken } from '../middleware/session-cookie.ts';
import { auditEvent } from '../shared.ts';
import { hashOfSetupCode } from './setup-link.ts';
import { countTry } from './throttle.ts';

/** An unauthenticated visitor: request id, address, and the session cookie of their browser, if any. */
export interface Visitor {
  requestId: string;
  address: string;
  formerSessionHash: string | null;
}

/** A new session; `token` goes into the cookie and nowhere else. */
export interface NewSession {
  token: string;
  sessionId: string;
  userId: string;
}

/** Signs in by user name and password. @throws SecuError `unauthenticated` | `too_many_requests` */
export async function signIn(
  deps: ApiDeps,
  visitor: Visitor,
  { username, password }: { username: string; password: Secret },
): Promise<NewSession> {
  const counted = await countTry(deps, { address: visitor.address, username });
  const user = await deps.database.stores.users.findForSignIn(username);
  const hash = user?.passwordHash ?? null;
  const { fits, upgraded } = await deps.passwords.verify({ password, hash });
  const session = await deps.database.transaction(async (tx) => {
    // no session when the password was changed or the account deleted while it was checked
    const isAllowed =
      user !== null &&
      fits &&
      (await tx.users.holdsPassword({ id: user.id, passwordHash: user.passwordHash }));
    if (!isAllowed) {
      await recordRefusal(tx, deps, visitor, { text: 'A sign-in was refused.', userId: user?.id ?? null });
      return null;
    }
    if (upgraded !== null) await tx.users.replaceHash({ id: user.id, passwordHash: upgraded });
    return beginSession(tx, { deps, visitor, user });
  });
  if (session === null) throw new SecuError('unauthenticated', 'the user name or password is wrong');
  await counted.succeeded();
  return session;
}

/**
 * Creates the first administrator with a one-time code.
 * @throws SecuError `setup_done` | `setup_code_invalid` | `invalid_request` | `name_taken` | `too_many_requests`
 */
export async function setUp(
  deps: ApiDeps,
  visitor: Visitor,
  { code, username, password }: { code: string; username: string; password: Secret },
): Promise<NewSession> {
  const { stores } = deps.database;
  const counted = await countTry(deps, { address: visitor.address, username: null });
  if (await stores.users.hasAdministrator())
    throw new SecuError('setup_done', 'an administrator already exists; sign in');
  const now = deps.now();
  const hash = hashOfSetupCode(code);
  if (!(await stores.setupCodes.isValid({ hash, now }))) {
    await recordRefusal(stores, deps, visitor, { text: 'A setup code was refused.', userId: null });
    throw invalidCode();
  }
  const passwordHash = await deps.passwords.hash({ password, username });
  const session = await deps.database.transaction(async (tx) => {
    if (!(await tx.setupCodes.take({ hash, now }))) throw invalidCode();
    const id = await tx.users.add({ username, role: 'admin', source: 'local', passwordHash, now });
    if (id === null) throw nameTaken(username);
    await tx.setupCodes.removeAll();
    const text = `The first administrator "${username}" was created.`;
    const actor = actorOf({ kind: 'user', name: username });
    await tx.events.add(
      [auditEvent({ ...visitor, actor }, { kind: 'auth.set_up', text, data: { userId: id } })],
      now,
    );
    return beginSession(tx, { deps, visitor, user: { id, username } });
  });
  await counted.succeeded();
  return session;
}

/**
 * Signs in a person whom the single sign-on provider identified. A local account of the same name is never taken over.
 * @throws SecuError `forbidden` when no group of the person has a role
 */
export async function signOnAs(deps: ApiDeps, visitor: Visitor, person: SignedOn): Promise<NewSession> {
  const { role } = person;
  if (role === null) {
    const text = 'A single sign-on was refused: no group of the person has a role.';
    await recordRefusal(deps.database.stores, deps, visitor, { text, userId: null });
    throw new SecuError('forbidden', 'you signed in, but none of your groups has a role in Secu');
  }
  for (let tries = 1; tries <= MAX_NAME_TRIES; tries += 1) {
    const username = tries === 1 ? person.name : `${person.name}-${tries}`;
    const session = await deps.database.transaction(async (tx) => {
      const user = await findOrAddUser(tx, { deps, visitor, person: { ...person, role }, username });
      return user === null ? null : beginSession(tx, { deps, visitor, user });
    });
    if (session !== null) return session;
  }
  throw nameTaken(person.name);
}

/** More users with the same name than this would be a mistake of the provider. */
const MAX_NAME_TRIES = 50;

async function findOrAddUser(
  tx: Stores,
  input: { deps: ApiDeps; visitor: Visitor; person: SignedOn & { role: UserRole }; username: string },
): Promise<Pick<UserView, 'id' | 'username'> | null> {
  const { deps, visitor, person, username } = input;
  const { issuer, subject, role } = person;
  const now = deps.now();
  const known = await tx.users.findBySubject({ issuer, subject });
  const recordEvent = async (
    kind: 'user.created' | 'user.changed',
    user: { id: string; username: string },
  ) => {
    const verb =
      kind === 'user.created' ? 'was created by single sign-on as' : 'now has, by single sign-on, the role';
    const text = `"${user.username}" ${verb} ${role}.`;
    const data = { userId: user.id, role };
    await tx.events.add([auditEvent({ ...visitor, actor: 'system' }, { kind, text, data })], now);
  };
  if (known === null) {
    const id = await tx.users.add({ username, role, source: 'oidc', issuer, subject, now });
    if (id === null) return null;
    if (role === 'admin') await tx.setupCodes.removeAll();
    await recordEvent('user.created', { id, username });
    return { id, username };
  }
  if (known.role === role) return known;
  if (known.role === 'admin' && (await isLastAdministrator(tx, known.id))) {
    const text = `"${known.username}" keeps the role admin, because no other user has it. Single sign-on assigns ${role}.`;
    const data = { userId: known.id, role: known.role, refusedRole: role };
    await tx.events.add(
      [auditEvent({ ...visitor, actor: 'system' }, { kind: 'user.changed', text, data })],
      now,
    );
    return known;
  }
  await tx.users.setRole({ id: known.id, role });
  await recordEvent('user.changed', known);
  return known;
}

/** Without an administrator the set-up page would be open again. Locks the administrators. */
async function isLastAdministrator(tx: Stores, userId: string): Promise<boolean> {
  const administrators = await tx.users.lockAdministrators();
  return administrators.every((id) => id === userId);
}

/** Starts a session with a new token; the browser's previous session ends. */
export async function beginSession(
  tx: Stores,
  input: { deps: ApiDeps; visitor: Visitor; user: Pick<UserView, 'id' | 'username'> },
): Promise<NewSession> {
  const { deps, visitor, user } = input;
  const now = deps.now();
  const { token, hash } = newSessionToken();
  if (visitor.formerSessionHash !== null) await tx.sessions.endByHash(visitor.formerSessionHash);
  const sessionId = await tx.sessions.add({ userId: user.id, hash, address: visitor.address, now });
  await tx.users.noteSignIn({ id: user.id, now });
  const actor = actorOf({ kind: 'user', name: user.username });
  const event = {
    kind: 'auth.signed_in' as const,
    text: `"${user.username}" signed in.`,
    data: { userId: user.id, sessionId },
  };
  await tx.events.add([auditEvent({ ...visitor, actor }, event)], now);
  return { token, sessionId, userId: user.id };
}

async function recordRefusal(
  stores: Pick<Stores, 'events'>,
  deps: ApiDeps,
  visitor: Visitor,
  { text, userId }: { text: string; userId: string | null },
): Promise<void> {
  const event = { kind: 'auth.sign_in_failed' as const, text, data: { userId } };
  await stores.events.add([auditEvent({ ...visitor, actor: 'nobody' }, event)], deps.now());
}

/**
 * Ends this session, or all sessions of the person.
 * @throws SecuError `invalid_request` for an API key
 */
export async function signOut(
  deps: ApiDeps,
  request: Visitor & { userId: string; username: string; sessionId: string },
  { everywhere }: { everywhere: boolean },
): Promise<void> {
  const now = deps.now();
  await deps.database.transaction(async (tx) => {
    if (everywhere) await tx.sessions.endAllOf(request.userId);
    else await tx.sessions.end(request.sessionId);
    const text = `"${request.username}" signed out${everywhere ? ' everywhere' : ''}.`;
    const actor = actorOf({ kind: 'user', name: request.username });
    const data = { userId: request.userId, everywhere };
    await tx.events.add([auditEvent({ ...request, actor }, { kind: 'auth.signed_out', text, data })], now);
  });
}

/**
 * Changes one's own password. Requires the current one; other sessions end, and this one gets a new token.
 * @throws SecuError `unauthenticated` | `forbidden` | `invalid_request` | `too_many_requests`
 */
export async function changePassword(
  deps: ApiDeps,
  request: Visitor & { userId: string; username: string },
  { current, password }: { current: Secret; password: Secret },
): Promise<NewSession> {
  const { userId: id, username } = request;
  const counted = await countTry(deps, { address: request.address, username });
  const user = await deps.database.stores.users.findForSignIn(username);
  if (user === null || user.id !== id)
    throw new SecuError('forbidden', 'your account uses single sign-on; change your password there');
  const { fits } = await deps.passwords.verify({ password: current, hash: user.passwordHash });
  if (!fits) throw new SecuError('invalid_request', 'current: the password is wrong');
  await counted.succeeded();
  const passwordHash = await deps.passwords.hash({ password, username });
  const now = deps.now();
  return deps.database.transaction(async (tx) => {
    if (!(await tx.users.holdsPassword({ id, passwordHash: user.passwordHash })))
      throw new SecuError('unauthenticated', 'the password was changed in the meantime; sign in again');
    await tx.users.setPassword({ id, passwordHash, now });
    await tx.sessions.endAllOf(id);
    const actor = actorOf({ kind: 'user', name: username });
    const text = `"${username}" changed their password.`;
    const event = { kind: 'user.password_changed' as const, text, data: { userId: id } };
    await tx.events.add([auditEvent({ ...request, actor }, event)], now);
    return beginSession(tx, { deps, visitor: request, user });
  });
}

function invalidCode(): SecuError {
  return new SecuError(
    'setup_code_invalid',
    'this setup link is no longer valid; restart Secu or run "secu setup-link" for a new one',
  );
}

export function nameTaken(username: string): SecuError {
  return new SecuError(
    'name_taken',
    `the user name "${username}" is taken; names are compared case-insensitively`,
  );
}
