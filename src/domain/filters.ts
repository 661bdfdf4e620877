import type { Filters } from './integration.ts';

/**
 * A path filter: `*` within a segment, `**` across segments, `?` one character; without case.
 * `acme/**` also matches everything below and not `acme` itself.
 */
export function globToRegExp(glob: string): RegExp {
  const source = glob
    .split(/(\*\*\/?|\*|\?)/)
    .map((part) => {
      if (part === '**') return '.*';
      if (part === '**/') return '(?:.*/)?';
      if (part === '*') return '[^/]*';
      if (part === '?') return '[^/]';
      return part.replace(/[.+^${}()|[\]\\]/g, '\\$&');
    })
    .join('');
  return new RegExp(`^${source}$`, 'iu');
}

/** A predicate over full paths: included (or nothing to include) and not excluded. Exclude wins. */
export function pathFilter({
  include,
  exclude,
}: Pick<Filters, 'include' | 'exclude'>): (path: string) => boolean {
  const included = include.map(globToRegExp);
  const excluded = exclude.map(globToRegExp);
  return (path) =>
    (included.length === 0 || included.some((glob) => glob.test(path))) &&
    !excluded.some((glob) => glob.test(path));
}
