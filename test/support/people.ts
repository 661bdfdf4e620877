import { expect } from '@jest/globals';
import { Secret } from '../../src/domain/secret.ts';
import type { UserRole } from '../../src/domain/user.ts';
import type { Answer, TestApi } from './api.ts';

/** A valid password that no user has. */
export const PASSWORD = ['correct', 'horse', 'battery', 'staple'].join(' ');

/** A clock that the test controls. */
export function createClock(start = '2026-11-24T09:00:00.000Z') {
  let at = new Date(start);
  return {
    now: () => new Date(at),
    pass(ms: number) {
      at = new Date(at.getTime() + ms);
    },
  };
}

export const MINUTE_MS = 60_000;
export const HOUR_MS = 3_600_000;

/** Creates a user with a password. @returns the ID */
export async function addPerson(
  { deps }: Pick<TestApi, 'deps'>,
  {
    username,
    role = 'viewer',
    password = PASSWORD,
  }: { username: string; role?: UserRole; password?: string },
): Promise<string> {
  const passwordHash = await deps.passwords.hash({ password: new Secret(password), username });
  const person = { username, role, source: 'local', passwordHash } as const;
  const id = await deps.database.stores.users.add({ ...person, now: deps.now() });
  if (id === null) throw new Error(`${username} already exists`);
  return id;
}

/** Tries to sign in, like a browser on a page of Secu. */
export function trySignIn(
  api: TestApi,
  {
    username,
    password = PASSWORD,
    headers = {},
  }: { username: string; password?: string; headers?: Record<string, string> },
): Promise<Answer> {
  return api.call('POST auth/sign-in', {
    as: null,
    json: { username, password },
    headers: { Origin: api.url, ...headers },
  });
}

/** The cookie that a response sets, in the form that a request sends. */
export function cookieOf(answer: Answer): string {
  const [cookie = ''] = answer.headers.getSetCookie();
  return cookie.split(';')[0] ?? '';
}

/** Signs in. @returns the cookie */
export async function signedIn(api: TestApi, username: string, password = PASSWORD): Promise<string> {
  const answer = await trySignIn(api, { username, password });
  expect([answer.status, answer.body.code]).toEqual([200, undefined]);
  return cookieOf(answer);
}

/** Headers of a request from a page of Secu with this cookie. */
export function pageOf(api: TestApi, cookie: string): Record<string, string> {
  return { Cookie: cookie, Origin: api.url, 'Sec-Fetch-Site': 'same-origin' };
}

/** The status and user name for this cookie. */
export async function whoIs(api: TestApi, cookie: string): Promise<[number, string | undefined]> {
  const { status, body } = await api.call('GET auth/me', { as: null, headers: { Cookie: cookie } });
  return [status, body.username];
}
