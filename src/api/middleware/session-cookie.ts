import { createHash, randomBytes } from 'node:crypto';
import type { Context } from 'hono';
import { deleteCookie, setCookie } from 'hono/cookie';
import { SESSION_MAX_MS } from '../../domain/user.ts';
import type { ApiEnv, ApiSettings } from '../deps.ts';

const TOKEN_BYTES = 32;

/** 256 random bits for the cookie; only the hash is stored. */
export function newSessionToken(): { token: string; hash: string } {
  const token = randomBytes(TOKEN_BYTES).toString('base64url');
  return { token, hash: hashOfSessionToken(token) };
}

function hashOfSessionToken(token: string): string {
  return createHash('sha256').update(token).digest('hex');
}

/** `__Host-` binds the cookie to this host and https; browsers refuse it over plain http. */
export function cookieName(base: string, { publicUrl }: Pick<ApiSettings, 'publicUrl'>): string {
  return isHttps(publicUrl) ? `__Host-${base}` : base;
}

export function isHttps(publicUrl: string): boolean {
  return publicUrl.startsWith('https:');
}

/**
 * The session cookie. With two of the same name there is none: one of them was planted, and browsers do not say which.
 */
export function readCookie(c: Context<ApiEnv>, name: string): string | null {
  const values = (c.req.header('Cookie') ?? '')
    .split(';')
    .map((pair) => pair.trim())
    .filter((pair) => pair.startsWith(`${name}=`))
    .map((pair) => pair.slice(name.length + 1));
  return values.length === 1 ? (values[0] ?? null) : null;
}

/** Hash of the session cookie, whether the session is valid or not. */
export function sessionHashOf(c: Context<ApiEnv>, settings: ApiSettings): string | null {
  const token = readCookie(c, cookieName('secu', settings));
  return token === null || !/^[\w-]{43}$/.test(token) ? null : hashOfSessionToken(token);
}

export function setSessionCookie(c: Context<ApiEnv>, settings: ApiSettings, token: string): void {
  setCookie(c, cookieName('secu', settings), token, {
    httpOnly: true,
    sameSite: 'Strict',
    path: '/',
    secure: isHttps(settings.publicUrl),
    maxAge: SESSION_MAX_MS / 1_000,
  });
}

export function clearSessionCookie(c: Context<ApiEnv>, settings: ApiSettings): void {
  deleteCookie(c, cookieName('secu', settings), {
    httpOnly: true,
    sameSite: 'Strict',
    path: '/',
    secure: isHttps(settings.publicUrl),
  });
}
