import type { Repositories } from '../git/repositories.ts';
import type { Reply } from '../reply.ts';
import type { SimulatedRequest } from '../request.ts';
import type { World } from '../world.ts';

/** The arguments of every handler. */
export type RouteContext = {
  world: World;
  repositories: Repositories;
  request: SimulatedRequest;
  /** Decoded named parts of the path. */
  params: Record<string, string>;
};

export type Route = {
  method: string;
  /** Path segments; `:name` matches one segment, which may contain encoded slashes. */
  pattern: string;
  handle(context: RouteContext): Reply | Promise<Reply>;
};

/** The decoded parts of a path that matches the pattern, or null. */
export function matchPath(pattern: string, pathname: string): Record<string, string> | null {
  const patternParts = pattern.split('/');
  const given = pathname.split('/');
  if (patternParts.length !== given.length) return null;
  const params: Record<string, string> = {};
  for (const [index, part] of patternParts.entries()) {
    const segment = given[index] ?? '';
    if (part.startsWith(':')) {
      if (segment === '') return null;
      params[part.slice(1)] = decode(segment);
    } else if (part !== segment) {
      return null;
    }
  }
  return params;
}

function decode(segment: string): string {
  try {
    return decodeURIComponent(segment);
  } catch (error) {
    if (!(error instanceof URIError)) throw error;
    return segment;
  }
}
