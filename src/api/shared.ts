import { createRoute, OpenAPIHono, z } from '@hono/zod-openapi';
import type { Context } from 'hono';
import type { Page } from '../db/rows.ts';
import { SecuError } from '../domain/errors.ts';
import type { EventKind, NewEvent } from '../domain/event.ts';
import type { IdKind } from '../domain/ids.ts';
import { ID_PREFIXES, isIdOf } from '../domain/ids.ts';
import type { ApiEnv, AuditedBy, RequestOrigin } from './deps.ts';
import { invalidRequest } from './errors.ts';
import type { Role } from './middleware/authenticate.ts';
import { actorOf, requireRole } from './middleware/authenticate.ts';

/** A router that answers validation failures as problems. */
export function createRouter() {
  return new OpenAPIHono<ApiEnv>({
    defaultHook: (result) => {
      if (!result.success) throw invalidRequest(result.error.issues);
    },
  });
}

export const ProblemSchema = z
  .object({
    type: z.string(),
    title: z.string(),
    status: z.int(),
    detail: z.string(),
    code: z.string(),
    requestId: z.string(),
    errors: z.array(z.object({ path: z.string(), message: z.string() })).optional(),
  })
  .openapi('Problem');

const PROBLEMS: Record<number, string> = {
  400: 'Invalid input; each error names its path',
  401: 'Missing or invalid credentials',
  403: 'Not allowed for this role',
  404: 'Not found',
  409: 'Conflict with the current state',
  422: 'Valid but refused',
  429: 'Too many attempts; Retry-After says when to try again',
  503: 'A dependency is unavailable; try again later',
};

/** The success answer of a route and its possible problems. */
export function answers<S extends number, T extends z.ZodType>(
  status: S,
  schema: T,
  description: string,
  problems: readonly (keyof typeof PROBLEMS)[] = [],
) {
  const good = { [status]: { description, content: { 'application/json': { schema } } } } as Record<
    S,
    { description: string; content: { 'application/json': { schema: T } } }
  >;
  return { ...good, ...problemAnswers([400, 401, 403, 503, ...problems]) };
}

/** An answer without a body. */
export function emptyAnswer(description: string, problems: readonly (keyof typeof PROBLEMS)[] = []) {
  return { 204: { description }, ...problemAnswers([400, 401, 403, 503, ...problems]) };
}

/** Problems by status, and the 431 of the HTTP server, which has no body. */
export function problemAnswers(statuses: readonly number[]) {
  const problems = Object.fromEntries(
    [...new Set(statuses)].map((status) => [
      status,
      {
        description: PROBLEMS[status] ?? '',
        content: { 'application/problem+json': { schema: ProblemSchema } },
      },
    ]),
  );
  const tooLong: object = { 431: { description: 'The URL or a header is too long' } };
  // an index signature, so that typed clients see only answers with a body
  return { ...problems, ...tooLong };
}

/** Security: an API key or a session cookie. */
export const SECURITY = [{ apiKey: [] }, { session: [] }];

/** Declares a JSON body. */
export function jsonBody<T extends z.ZodType>(schema: T, { required = true } = {}) {
  return { body: { required, content: { 'application/json': { schema } } } };
}

/** Settings shared by all routes that require a role. */
export function forRole(role: Role) {
  return { middleware: [requireRole(role)], security: SECURITY };
}

const NOBODY = 'none';

export function idParam<K extends IdKind>(kind: K) {
  return z.object({
    id: z
      .string()
      // text that is not an id is never sent to the database
      .transform((text) => (isIdOf(kind, text) ? text : NOBODY))
      .openapi({
        type: 'string',
        param: { name: 'id', in: 'path' },
        example: `${ID_PREFIXES[kind]}_01JG0000000000000000000000`,
      }),
  });
}

export const MAX_LIMIT = 200;

/** The `limit`, `cursor` and `sort` parameters of every list. */
export const listParams = {
  limit: z.coerce.number().int().min(1).max(MAX_LIMIT).default(50),
  cursor: z.string().max(2_000).optional(),
};

/** A comma-separated list of ids or kinds. Two of them fit into the headers of a request, also percent-encoded. */
export const commaList = z
  .string()
  .max(2_000)
  .regex(/^[A-Za-z0-9_.,-]*$/, 'only ids or kinds, separated by commas')
  .transform((text) => text.split(',').filter((part) => part !== ''))
  .optional();

/** A comma-separated list of known values. */
export function commaListOf<const T extends readonly [string, ...string[]]>(values: T) {
  return z
    .string()
    .transform((text) => text.split(',').filter((part) => part !== ''))
    .pipe(z.array(z.enum(values)))
    .optional()
    .openapi({ type: 'string', description: `comma-separated list of ${values.join(', ')}` });
}

/** A name chosen by a person: trimmed, on one line. */
export const givenName = z
  .string()
  .trim()
  .min(1)
  .max(100)
  .refine((text) => text.isWellFormed() && !/\p{Cc}/u.test(text), 'control characters are not allowed');

export function pageSchema<T extends z.ZodType>(item: T, name: string) {
  return z.object({ items: z.array(item), nextCursor: z.string().nullable() }).openapi(name);
}

export function listInput(query: { limit: number; cursor?: string | undefined; sort?: string | undefined }) {
  return { limit: query.limit, cursor: query.cursor ?? null, sort: query.sort };
}

export function presentPage<T, U>(page: Page<T>, present: (item: T) => U) {
  return { items: page.items.map(present), nextCursor: page.nextCursor };
}

/** Who made the request, stored with everything that it causes. */
export function requestOrigin(c: Context<ApiEnv>): RequestOrigin {
  return { principal: c.get('principal'), requestId: c.get('requestId'), address: c.get('address') };
}

/** An audit event about one integration, or one of its repositories. */
export function integrationAuditEvent(
  { principal, requestId, address }: RequestOrigin,
  {
    integrationId,
    repositoryId = null,
    ...event
  }: {
    kind: EventKind;
    integrationId: string;
    repositoryId?: string | null;
    text: string;
    data?: Record<string, unknown>;
  },
): NewEvent {
  return {
    ...auditEvent({ actor: actorOf(principal), requestId, address }, event),
    integrationId,
    repositoryId,
  };
}

/** An audit event with actor, address and request id; only administrators see it. */
export function auditEvent(
  by: AuditedBy,
  event: { kind: EventKind; text: string; data?: Record<string, unknown> },
): NewEvent {
  const { requestId, address, actor } = by;
  return { integrationId: null, actor, ...event, data: { ...event.data, requestId, address } };
}

export function auditedBy(c: Context<ApiEnv>): AuditedBy {
  return { actor: actorOf(c.get('principal')), requestId: c.get('requestId'), address: c.get('address') };
}

export function found<T>(row: T | null, what: string): T {
  if (row === null) throw new SecuError('not_found', `this ${what} does not exist`);
  return row;
}

export const iso = (date: Date): string => date.toISOString();
export const isoOrNull = (date: Date | null | undefined): string | null => date?.toISOString() ?? null;

export { createRoute, z };
