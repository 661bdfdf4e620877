import { Secret } from '../../domain/secret.ts';
import { MAX_PASSWORD_CHARACTERS, MIN_PASSWORD_CHARACTERS, USER_ROLES } from '../../domain/user.ts';
import { z } from '../shared.ts';

/** Limit in bytes, before the password rules are checked. */
const MAX_PASSWORD_LENGTH = 4 * MAX_PASSWORD_CHARACTERS;

/** Write-only: parsed into a `Secret`. The password rules are checked where it is hashed. */
export const password = z
  .string()
  .min(1)
  .max(MAX_PASSWORD_LENGTH)
  .transform((text) => new Secret(text))
  .openapi({ type: 'string', writeOnly: true, format: 'password', minLength: MIN_PASSWORD_CHARACTERS });

const MAX_NAME_CHARACTERS = 64;

/** User name of a new account; compared case-insensitively. */
export const username = z
  .string()
  .transform((text) => text.trim().normalize('NFC'))
  .refine(
    (text) => /^[\p{L}\p{N}][\p{L}\p{N}._@+-]*$/u.test(text) && text.length <= MAX_NAME_CHARACTERS,
    `1 to ${MAX_NAME_CHARACTERS} letters, digits or . _ @ + -, starting with a letter or digit`,
  )
  .openapi({ type: 'string', maxLength: MAX_NAME_CHARACTERS, example: 'alice' });

export const SetupRequest = z
  .strictObject({ code: z.string().trim().min(1).max(200), username, password })
  .openapi('SetupRequest');

export const SignInRequest = z
  .strictObject({
    username: z
      .string()
      .max(200)
      .transform((text) => text.trim().normalize('NFC')),
    password,
  })
  .openapi('SignInRequest');

export const SignOutRequest = z
  .strictObject({ everywhere: z.boolean().optional() })
  .openapi('SignOutRequest');

export const PasswordChange = z.strictObject({ current: password, password }).openapi('PasswordChange');

export const SignInOptionsSchema = z
  .object({ setup: z.boolean(), singleSignOn: z.boolean() })
  .openapi('SignInOptions');

export const SetupLinkSchema = z
  .object({ url: z.string(), expiresAt: z.iso.datetime() })
  .openapi('SetupLink');

export const MeSchema = z
  .object({
    kind: z.enum(['user', 'key']),
    id: z.string(),
    name: z.string(),
    username: z.string().nullable().openapi({ description: 'null for an API key' }),
    role: z.enum(USER_ROLES),
    source: z.enum(['local', 'oidc']).nullable().openapi({ description: 'null for an API key' }),
    session: z
      .object({
        createdAt: z.iso.datetime(),
        expiresAt: z.iso.datetime(),
        idleExpiresAt: z.iso.datetime(),
      })
      .nullable(),
  })
  .openapi('Me');

/** A path of the dashboard to return to: exactly one leading slash, so that browsers cannot read it as a host. */
export const OidcStartQuery = z.strictObject({
  next: z
    .string()
    .max(1_000)
    .regex(/^\/(?![/\\])[\x21-\x5b\x5d-\x7e]*$/, 'a path with exactly one leading slash')
    .default('/'),
});
