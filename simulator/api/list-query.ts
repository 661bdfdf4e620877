import type { Reply } from '../reply.ts';
import { apiError, jsonReply } from '../reply.ts';
import type { World } from '../world.ts';

export type ListQuery = {
  keyset: boolean;
  orderBy: string;
  sort: 'asc' | 'desc';
  membership: boolean;
  owned: boolean;
  simple: boolean;
  statistics: boolean;
  archived: boolean | null;
  active: boolean | null;
  minAccessLevel: number | null;
  visibility: string | null;
  search: string | null;
  idAfter: number | null;
  idBefore: number | null;
  /** Milliseconds since 1970. */
  activityAfter: number | null;
  activityBefore: number | null;
};

const VALUES: Record<string, readonly string[]> = {
  order_by: [
    'id',
    'name',
    'path',
    'created_at',
    'updated_at',
    'last_activity_at',
    'similarity',
    'star_count',
  ],
  sort: ['asc', 'desc'],
  visibility: ['private', 'internal', 'public'],
  min_access_level: ['5', '10', '15', '20', '25', '30', '40', '50'],
  pagination: ['legacy', 'keyset'],
};
const BOOLEANS = ['membership', 'owned', 'simple', 'statistics', 'archived', 'active', 'starred'];
const INTEGERS = ['id_after', 'id_before', 'page', 'per_page'];
const TIMES = ['last_activity_after', 'last_activity_before', 'updated_after', 'updated_before'];

/**
 * Parses the parameters of `GET /projects` like Grape, or returns its refusal. Ignores unknown parameters.
 */
export function parseListQuery(world: World, query: URLSearchParams): ListQuery | Reply {
  const complaint = complaintOf(query);
  if (complaint !== null) return jsonReply(400, { error: complaint });
  const orderBy = query.get('order_by') ?? 'created_at';
  const keyset = query.get('pagination') === 'keyset';
  if (keyset && orderBy !== 'id') return apiError(world, 'keyset_bad_order');
  const updated = query.has('updated_after') || query.has('updated_before');
  if (updated && query.has('order_by') && orderBy !== 'updated_at')
    return apiError(world, 'updated_after_without_order');
  const flag = (name: string) => (query.has(name) ? isTrue(query.get(name)) : null);
  const number = (name: string) => (query.has(name) ? Number(query.get(name)) : null);
  const time = (...names: string[]) => {
    const given = names.map((name) => query.get(name)).find((value) => value !== null);
    return given === undefined || given === null ? null : Date.parse(given);
  };
  return {
    keyset,
    orderBy,
    sort: query.get('sort') === 'asc' ? 'asc' : 'desc',
    membership: flag('membership') ?? false,
    owned: flag('owned') ?? false,
    simple: flag('simple') ?? false,
    statistics: flag('statistics') ?? false,
    archived: flag('archived'),
    active: flag('active'),
    minAccessLevel: number('min_access_level'),
    visibility: query.get('visibility'),
    search: query.get('search'),
    idAfter: number('id_after'),
    idBefore: number('id_before'),
    activityAfter: time('last_activity_after', 'updated_after'),
    activityBefore: time('last_activity_before', 'updated_before'),
  };
}

function complaintOf(query: URLSearchParams): string | null {
  const complaints = [
    ...Object.entries(VALUES)
      .filter(([name, allowed]) => query.has(name) && !allowed.includes(query.get(name) ?? ''))
      .map(([name]) => `${name} does not have a valid value`),
    ...BOOLEANS.filter(
      (name) => query.has(name) && !/^(true|false|1|0|t|f)$/.test(query.get(name) ?? ''),
    ).map(invalid),
    ...INTEGERS.filter((name) => query.has(name) && !/^\d+$/.test(query.get(name) ?? '')).map(invalid),
    ...TIMES.filter((name) => query.has(name) && Number.isNaN(Date.parse(query.get(name) ?? ''))).map(
      invalid,
    ),
  ];
  return complaints.length === 0 ? null : complaints.join(', ');
}

function invalid(name: string): string {
  return `${name} is invalid`;
}

function isTrue(value: string | null): boolean {
  return value === 'true' || value === '1' || value === 't';
}
