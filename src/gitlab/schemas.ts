import { z } from 'zod';
import type { OwnerKind, TokenFacts, TokenOwner } from '../domain/integration.ts';
import type { ListedRepository } from '../domain/repository.ts';
import { Secret } from '../domain/secret.ts';
import { expiryFrom } from '../domain/token-expiry.ts';
import { canRotate } from '../domain/verification.ts';

/** Only the fields that we use, with our names. Everything else, such as `runners_token`, is dropped. */

const day = z
  .string()
  .regex(/^\d{4}-\d{2}-\d{2}/)
  .transform((text) => text.slice(0, 10))
  .refine((text) => !Number.isNaN(Date.parse(text)));
const MIN_MOMENT_MS = Date.parse('0001-01-02T00:00:00Z');
const MAX_MOMENT_MS = Date.parse('9999-12-31T00:00:00Z');

/** Only times that PostgreSQL can store, in one ISO format. */
const moment = z
  .string()
  .regex(/^\d{4}-\d{2}-\d{2}/)
  .refine((text) => Date.parse(text) > MIN_MOMENT_MS && Date.parse(text) < MAX_MOMENT_MS)
  .transform((text) => new Date(text).toISOString());
const label = z.string().max(1_024);

const tokenFields = z.object({
  id: z.number().int().positive(),
  name: label.nullish().catch(null),
  scopes: z.array(label).max(200).catch([]),
  granular: z.boolean().nullish().catch(null),
  granular_scopes: z
    .array(z.object({ permissions: z.array(label).max(1_000) }))
    .nullish()
    .catch(null),
  expires_at: day.nullish().catch(undefined),
  created_at: moment.nullish().catch(null),
  last_used_at: moment.nullish().catch(null),
});

/**
 * `GET /personal_access_tokens/self`. Fields differ between releases, so an invalid field counts as absent. An ID or
 * scopes are required: they show that the answer describes a token.
 */
export const SelfToken = tokenFields
  .extend({ id: tokenFields.shape.id.nullable().catch(null) })
  .refine(({ id, scopes }) => id !== null || scopes.length > 0)
  .transform(factsOf);

/** `POST /personal_access_tokens/self/rotate`: the new token, with its value. */
export const RotatedToken = tokenFields
  .extend({ token: z.string().regex(/^[\x21-\x7e]{1,400}$/) })
  .transform(({ token, ...fields }) => ({
    value: new Secret(token),
    newTokenId: fields.id,
    facts: factsOf(fields),
  }));

/** The ID of the new token, for an answer without its value. */
export const RotatedTokenId = z.object({ id: z.number().int() }).transform(({ id }) => id);

const ROTATE_PERMISSION = 'rotate_personal_access_token';

type TokenFields = Omit<z.output<typeof tokenFields>, 'id'> & { id: number | null };

function factsOf(token: TokenFields): Omit<TokenFacts, 'owner'> {
  const granular = token.granular ?? token.scopes.includes('granular');
  const listed = token.granular_scopes ?? null;
  const permitted = listed?.some(({ permissions }) => permissions.includes(ROTATE_PERMISSION)) ?? null;
  return {
    gitlabTokenId: token.id,
    name: token.name ?? null,
    scopes: token.scopes,
    granular,
    mayRotate: granular ? permitted : canRotate(token.scopes),
    expiry: expiryFrom(token.expires_at),
    createdAt: token.created_at ?? null,
    lastUsedAt: token.last_used_at ?? null,
  };
}

/** `GET /user`. */
export const CurrentUser = z.object({ username: label, bot: z.boolean().nullish().catch(null) }).transform(
  (user): TokenOwner => ({
    username: user.username,
    kind: ownerKindOf({ ...user, bot: user.bot ?? null }),
  }),
);

/**
 * The kind of an owner. `bot` covers project and group tokens and service accounts, which differ only in their
 * names (GitLab docs, "Service accounts").
 */
function ownerKindOf({ username, bot }: { username: string; bot: boolean | null }): OwnerKind {
  if (bot === false) return 'user';
  if (/^project_\d+_bot/.test(username)) return 'project_token';
  if (/^group_\d+_bot/.test(username)) return 'group_token';
  if (username.startsWith('service_account_')) return 'service_account';
  return bot === true ? 'bot' : 'unknown';
}

/** Paths become part of clone URLs and web addresses, so `..` and invisible characters are rejected. */
const fullPath = z
  .string()
  .max(2_048)
  // biome-ignore lint/suspicious/noControlCharactersInRegex: these are the characters to reject
  .regex(/^[^\u0000-\u001f\u007f\\]+$/)
  .refine((path) =>
    path.split('/').every((segment) => segment !== '' && segment !== '.' && segment !== '..'),
  );

/** `GET /projects/:id` and items of `GET /projects`. */
export const Project = z
  .object({
    id: z.number().int().positive(),
    path_with_namespace: fullPath,
    default_branch: label.nullish(),
    visibility: z.string().max(32).nullish(),
    last_activity_at: moment.nullish(),
    empty_repo: z.boolean().nullish(),
    archived: z.boolean().nullish(),
    repository_access_level: z.string().max(32).nullish(),
    marked_for_deletion_on: day.nullish(),
    marked_for_deletion_at: day.nullish(),
    forked_from_project: z.unknown().optional(),
    namespace: z.object({ kind: z.string().max(32) }).nullish(),
  })
  .transform(
    (project): ListedRepository => ({
      gitlabProjectId: project.id,
      fullPath: project.path_with_namespace,
      defaultBranch: project.default_branch ?? null,
      visibility: project.visibility ?? 'private',
      lastActivityAt: project.last_activity_at ?? null,
      empty: project.empty_repo === true,
      archived: project.archived === true,
      fork: project.forked_from_project !== undefined && project.forked_from_project !== null,
      personal: project.namespace?.kind === 'user',
      pendingDeletion: isSet(project.marked_for_deletion_on) || isSet(project.marked_for_deletion_at),
      repositoryDisabled: project.repository_access_level === 'disabled',
    }),
  );

/** The items of one page; each is parsed separately. */
export const ProjectItems = z.array(z.unknown()).max(1_000);

/** The ID of a project that cannot be read otherwise. */
export const ProjectId = z.object({ id: z.number().int().positive() }).transform(({ id }) => id);

function isSet(text: string | null | undefined): boolean {
  return text !== undefined && text !== null;
}
