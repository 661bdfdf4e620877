import { Secret } from '../../domain/secret.ts';
import { MAX_PASSWORD_CHARACTERS, MIN_PASSWORD_CHARACTERS, USER_ROLES } from '../../domain/user.ts';
import { z } from '../shared.ts';

/** Bytes of a request, not characters of a password: what is longer was never one. */
const MAX_PASSWORD_LENGTH = 4 * MAX_PASSWORD_CHARACTERS;

/** Write-only, so it becomes a `Secret` at the door. Whether it is good enough says whoever hashes it. */
export const password = z
  .string()
  .min(1)
  .max(MAX_PASSWORD_LENGTH)
  .transform((text) => new Secret(text))
  .openapi({ type: 'string', writeOnly: true, format: 'password', minLength: MIN_PASSWORD_CHARACTERS });

const MAX_NAME_CHARACTERS = 64;

/** Of a new account; compared without case. */
export const username = z
  .string()
  .transform((text) => text.trim().normalize('NFC'))
  .refine(
    (text) => /^[\p{L}\p{N}][\p{L}\p{N}._@+-]*$/u.test(text) && text.length <= MAX_NAME_CHARACTERS,
    `1 to ${MAX_NAME_CHARACTERS} letters, digits and . _ @ + -, the first a letter or digit`,
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

/** A path of our own pages to go to afterwards: one slash at its start, and nothing that a browser reads as a host. */
export const OidcStartQuery = z.strictObject({
  next: z
    .string()
    .max(1_000)
    .regex(/^\/(?![/\\])[\x21-\x5b\x5d-\x7e]*$/, 'a path with exactly one slash at its start')
    .default('/'),
});
