import type { Filters } from './integration.ts';

type Step =
  | { kind: 'one'; char: string }
  | { kind: 'any' } // `?`
  | { kind: 'within' } // `*`
  | { kind: 'across' } // `**`
  | { kind: 'folders' } // two stars and a slash: nothing,
  | { kind: 'folder' }; // or whole segments

/**
 * A path filter: `*` within a segment, `**` across segments, `?` one character; without case.
 * `acme/**` also matches everything below and not `acme` itself. Takes time in proportion to glob and path: made into
 * a regular expression, a glob of a few `**` would stop the process for minutes.
 */
export function globMatcher(glob: string): (path: string) => boolean {
  const steps = stepsOf(glob);
  return (path) => matches(steps, path);
}

function stepsOf(glob: string): Step[] {
  return glob.split(/(\*\*\/?|\*|\?)/).flatMap((part): Step[] => {
    if (part === '**') return [{ kind: 'across' }];
    if (part === '**/') return [{ kind: 'folders' }, { kind: 'folder' }];
    if (part === '*') return [{ kind: 'within' }];
    if (part === '?') return [{ kind: 'any' }];
    return Array.from(part.toLowerCase(), (char): Step => ({ kind: 'one', char }));
  });
}

/** Walks the path once, with the set of steps that may come next. */
function matches(steps: readonly Step[], path: string): boolean {
  let open = withSkips(steps, new Set([0]));
  for (const char of path.toLowerCase()) {
    const next = new Set<number>();
    for (const index of open)
      for (const following of advance({ step: steps[index], index, char })) next.add(following);
    open = withSkips(steps, next);
    if (open.size === 0) return false;
  }
  return open.has(steps.length);
}

/** Where the walk stands after this character: on the same step, on the next, or nowhere. */
function advance({ step, index, char }: { step: Step | undefined; index: number; char: string }): number[] {
  switch (step?.kind) {
    case 'one':
      return step.char === char ? [index + 1] : [];
    case 'any':
      return char === '/' ? [] : [index + 1];
    case 'within':
      return char === '/' ? [] : [index];
    case 'across':
      return [index];
    case 'folder':
      return char === '/' ? [index, index + 1] : [index];
    case 'folders':
    case undefined:
      return [];
  }
}

/** Steps that may match nothing are also passed over. */
function withSkips(steps: readonly Step[], open: ReadonlySet<number>): Set<number> {
  const result = new Set(open);
  for (const index of result) {
    const kind = steps[index]?.kind;
    if (kind === 'within' || kind === 'across' || kind === 'folders') result.add(index + 1);
    if (kind === 'folders') result.add(index + 2);
  }
  return result;
}

/** A predicate over full paths: included (or nothing to include) and not excluded. Exclude wins. */
export function pathFilter({
  include,
  exclude,
}: Pick<Filters, 'include' | 'exclude'>): (path: string) => boolean {
  const included = include.map(globMatcher);
  const excluded = exclude.map(globMatcher);
  return (path) =>
    (included.length === 0 || included.some((isMatch) => isMatch(path))) &&
    !excluded.some((isMatch) => isMatch(path));
}
