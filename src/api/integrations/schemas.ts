import { INVALID_CAUSES, REACHABILITY_CAUSES } from '../../domain/causes.ts';
import { CHECK_STATUSES, DRY_RUN_VERDICTS } from '../../domain/dry-run.ts';
import type { DryRunCause } from '../../domain/dry-run-causes.ts';
import { CHECK_NAMES, DRY_RUN_CAUSES } from '../../domain/dry-run-causes.ts';
import { EXPLAIN_REASONS } from '../../domain/explain.ts';
import { MAX_WILDCARDS_PER_GLOB, MAX_WILDCARDS_PER_LIST, wildcardsOf } from '../../domain/filters.ts';
import { HOOK_STATES } from '../../domain/hook.ts';
import {
  BRANCH_MODES,
  HISTORY_MODES,
  INTEGRATION_STATUSES,
  OWNER_KINDS,
  REACHABILITY_STATES,
  TOKEN_WARNINGS,
} from '../../domain/integration.ts';
import { ROTATION_BLOCKS } from '../../domain/rotation.ts';
import { Secret } from '../../domain/secret.ts';
import { UNREADABLE_PROBLEMS } from '../../domain/unreadable.ts';
import { givenName, z } from '../shared.ts';

export const MAX_TOKEN_CHARACTERS = 400;

/** A GitLab token: trimmed and write-only, parsed into a `Secret`. */
const token = z
  .string()
  .transform((text) => text.trim())
  .refine(
    (text) => text.length > 0 && text.length <= MAX_TOKEN_CHARACTERS,
    `a token has 1 to ${MAX_TOKEN_CHARACTERS} characters`,
  )
  .refine((text) => !/^bearer\s/i.test(text), 'paste only the token, without "Bearer"')
  .refine(
    (text) => /^[\x21-\x7e]*$/.test(text),
    'a token contains no spaces, control characters or non-ASCII characters',
  )
  .transform((text) => new Secret(text))
  .openapi({ type: 'string', writeOnly: true, maxLength: MAX_TOKEN_CHARACTERS });

/** GitLab base URL, without a trailing slash or `/api/v4`. */
const baseUrl = z
  .string()
  .max(200)
  .transform((text, ctx) => {
    const url = URL.canParse(text) ? new URL(text) : null;
    const bad = baseUrlProblem(url);
    if (url === null || bad !== null) {
      ctx.addIssue({ code: 'custom', message: bad ?? 'not a URL; for example https://gitlab.com' });
      return z.NEVER;
    }
    const path = url.pathname
      .replace(/\/+$/, '')
      .replace(/\/api\/v4$/, '')
      .replace(/\/+$/, '');
    return `${url.origin}${path}`;
  })
  .openapi({ type: 'string', example: 'https://gitlab.com' });

function baseUrlProblem(url: URL | null): string | null {
  if (url === null) return 'not a URL; for example https://gitlab.com';
  if (url.protocol !== 'https:' && url.protocol !== 'http:') return 'must start with https://';
  if (url.username !== '' || url.password !== '') return 'must not contain a user name or password';
  if (url.search !== '' || url.hash !== '') return 'must not contain a query or fragment';
  return null;
}

const glob = z
  .string()
  .min(1)
  .max(400)
  .refine((text) => !/\p{Cc}/u.test(text), 'control characters are not allowed')
  .refine(
    (text) => wildcardsOf(text) <= MAX_WILDCARDS_PER_GLOB,
    `a glob may have at most ${MAX_WILDCARDS_PER_GLOB} wildcards (* and **)`,
  );
const globs = z
  .array(glob)
  .max(100)
  .refine(
    (all) => all.reduce((sum, text) => sum + wildcardsOf(text), 0) <= MAX_WILDCARDS_PER_LIST,
    `all globs together may have at most ${MAX_WILDCARDS_PER_LIST} wildcards (* and **)`,
  );
const filters = z.strictObject({
  include: globs.default([]),
  exclude: globs.default([]),
  archived: z.boolean().default(false),
  forks: z.boolean().default(true),
  personal: z.boolean().default(true),
});

const filtersPatch = z.strictObject({
  include: globs.optional(),
  exclude: globs.optional(),
  archived: z.boolean().optional(),
  forks: z.boolean().optional(),
  personal: z.boolean().optional(),
});

const autoRotate = z.strictObject({ enabled: z.boolean(), daysBefore: z.int().min(3).max(60).default(14) });

const branches = z
  .strictObject({ mode: z.enum(BRANCH_MODES), globs: z.array(glob).max(20).default([]) })
  .refine(
    ({ mode, globs }) => (mode === 'globs') === globs.length > 0,
    'globs go with the mode globs, and only with it',
  );

export const NewIntegration = z
  .strictObject({
    provider: z.literal('gitlab'),
    type: z.literal('git'),
    token,
    name: givenName.optional(),
    baseUrl: baseUrl.optional(),
    filters: filters.optional(),
    branches: branches.optional(),
    history: z.enum(HISTORY_MODES).nullable().optional(),
    autoRotate: autoRotate.optional(),
  })
  .openapi('NewIntegration');

export const IntegrationPatch = z
  .strictObject({
    name: givenName.optional(),
    filters: filtersPatch.optional(),
    branches: branches.optional(),
    history: z.enum(HISTORY_MODES).nullable().optional(),
    paused: z.boolean().optional(),
    autoRotate: autoRotate.optional(),
    expiresAt: z.iso.date().optional(),
  })
  .openapi('IntegrationPatch');

export const NewToken = z.strictObject({ token, acceptLoss: z.boolean().default(false) }).openapi('NewToken');
export const RotateRequest = z
  .strictObject({ expiresAt: z.iso.date().optional(), force: z.boolean().default(false) })
  .openapi('RotateRequest');
export const SyncRequest = z
  .strictObject({ acceptRemovals: z.boolean().default(false) })
  .openapi('SyncRequest');
export const ScanRequest = z.strictObject({ full: z.boolean().default(false) }).openapi('ScanRequest');

const when = z.iso.datetime();
const SYNC_TRIGGERS = ['created', 'schedule', 'manual'] as const;

const tokenSchema = z.object({
  gitlabTokenId: z.int().nullable(),
  name: z.string().nullable(),
  scopes: z.array(z.string()),
  granular: z.boolean(),
  owner: z.object({ username: z.string().nullable(), kind: z.enum(OWNER_KINDS) }),
  createdAt: when.nullable(),
  lastUsedAt: when.nullable(),
  replacedAt: when.nullable(),
  expiresAt: z.iso.date().nullable(),
  expiry: z.object({
    state: z.enum(['never', 'ok', 'expiring', 'expired', 'unknown']),
    daysLeft: z.int().nullable(),
    flag: z.int().nullable(),
    flaggedAt: when.nullable(),
    nextFlagAt: when.nullable(),
  }),
  canRotate: z.boolean(),
  rotateBlockedBy: z.enum([...ROTATION_BLOCKS, ...INVALID_CAUSES, ...REACHABILITY_CAUSES]).nullable(),
  rotateBlockedReason: z.string().nullable().openapi({ description: 'The same as a clause, for people' }),
  warnings: z.array(z.enum(TOKEN_WARNINGS)),
});

const dryRunCauses = Object.keys(DRY_RUN_CAUSES) as DryRunCause[];

export const DryRunSchema = z
  .object({
    ok: z.boolean(),
    verdict: z.enum(DRY_RUN_VERDICTS),
    cause: z.enum([...INVALID_CAUSES, ...REACHABILITY_CAUSES, 'origin_not_allowed']).nullable(),
    advice: z.string().nullable(),
    token: tokenSchema.nullable(),
    checks: z.array(
      z.object({
        name: z.enum(CHECK_NAMES),
        status: z.enum(CHECK_STATUSES),
        cause: z.enum(dryRunCauses).nullable(),
        detail: z.string().nullable(),
        advice: z.string().nullable(),
      }),
    ),
    reach: z.object({ groups: z.int().nullable(), projects: z.int().nullable() }).nullable(),
  })
  .openapi('DryRun');

export const FiltersPreviewRequest = z
  .strictObject({ filters: filtersPatch })
  .openapi('FiltersPreviewRequest');
export const FiltersPreviewSchema = z
  .object({
    added: z.int(),
    removed: z.int(),
    sample: z.array(z.object({ path: z.string(), change: z.enum(['added', 'removed']) })),
  })
  .openapi('FiltersPreview');

export const ExplanationSchema = z
  .object({
    path: z.string(),
    listed: z.boolean(),
    reason: z.enum(EXPLAIN_REASONS).nullable(),
    detail: z.string(),
  })
  .openapi('Explanation');

export const TokenLinkSchema = z
  .object({ url: z.string(), scopes: z.array(z.string()) })
  .openapi('TokenLink');
export const TokenLinkQuery = z.strictObject({
  baseUrl: baseUrl.optional(),
  renew: z.enum(['true', 'false']).optional(),
});

export const HookTokenSchema = z
  .object({
    url: z.string().openapi({ description: 'The URL of the webhook in GitLab' }),
    value: z.string().openapi({
      description:
        'Shown this once. For the field "Secret token" or the field "Signing token" of the webhook',
    }),
  })
  .openapi('HookToken');

export const IntegrationSchema = z
  .object({
    id: z.string(),
    provider: z.literal('gitlab'),
    type: z.literal('git'),
    name: z.string(),
    baseUrl: z.string(),
    status: z.enum(INTEGRATION_STATUSES),
    cause: z.enum(INVALID_CAUSES).nullable(),
    advice: z.string().nullable(),
    reachability: z.object({
      state: z.enum(REACHABILITY_STATES),
      cause: z.enum(REACHABILITY_CAUSES).nullable(),
      since: when,
    }),
    token: tokenSchema.nullable(),
    filters: z.object({
      include: z.array(z.string()),
      exclude: z.array(z.string()),
      archived: z.boolean(),
      forks: z.boolean(),
      personal: z.boolean(),
    }),
    branches: z.object({ mode: z.enum(BRANCH_MODES), globs: z.array(z.string()) }).openapi({
      description: 'The branches in which secrets are looked for; the default branch is always one',
    }),
    history: z.enum(HISTORY_MODES).nullable().openapi({ description: '`null`: as SECU_HISTORY says' }),
    autoRotate: z.object({ enabled: z.boolean(), daysBefore: z.int() }),
    lastVerifiedAt: when.nullable(),
    nextVerifyAt: when.nullable(),
    sync: z.object({
      state: z.enum(['idle', 'running', 'waiting', 'failed']),
      lastCompletedAt: when.nullable(),
      listed: z.int(),
      complete: z.boolean(),
      cause: z.string().nullable(),
    }),
    hooks: z.object({ lastAt: when.nullable(), state: z.enum(HOOK_STATES) }).openapi({
      description:
        'Webhooks of GitLab. `silent`: they were received before, none for a day, and syncs found new commits meanwhile',
    }),
    scans: z.object({ queued: z.int(), running: z.int() }),
    counts: z.object({
      repositories: z.int(),
      excluded: z.int(),
      missing: z.int(),
      scanned: z.int(),
      neverScanned: z.int(),
      openFindings: z.int(),
    }),
    createdAt: when,
    updatedAt: when,
  })
  .openapi('Integration');

export const SyncRunSchema = z
  .object({
    id: z.string(),
    trigger: z.enum(SYNC_TRIGGERS),
    state: z.enum(['queued', 'running', 'waiting', 'done', 'failed']),
    cause: z.string().nullable(),
    listed: z.int(),
    complete: z.boolean(),
    added: z.int(),
    renamed: z.int(),
    excluded: z.int(),
    missing: z.int(),
    returned: z.int(),
    removed: z.int(),
    queuedScans: z.int(),
    unreadable: z
      .array(
        z.object({
          gitlabProjectId: z.int(),
          problem: z.enum(UNREADABLE_PROBLEMS),
          field: z.string().nullable(),
        }),
      )
      .describe('Projects that GitLab lists but does not serve in a readable form. They keep their state.'),
    createdAt: when,
    startedAt: when.nullable(),
    finishedAt: when.nullable(),
  })
  .openapi('SyncRun');
