import type { Filters } from './integration.ts';

type Step =
  | { kind: 'one'; char: string }
  | { kind: 'any' } // `?`
  | { kind: 'within' } // `*`
  | { kind: 'across' } // `**`
  | { kind: 'folders' } // two stars and a slash, first half: no segment
  | { kind: 'folder' }; // second half: one or more whole segments

/**
 * A path filter: `*` within a segment, `**` across segments, `?` one character; case-insensitive. `acme/**`
 * matches everything below `acme` but not `acme` itself. Ours instead of a library: it runs in time proportional
 * to glob × path, while a regular expression made of a glob with a few `**` backtracks for minutes.
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

/** Walks the path once and tracks every step that may match the next character. */
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

/** The steps that are possible after this character: the same step, the next one, or none. */
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

/** Adds the steps behind those that may match nothing. */
function withSkips(steps: readonly Step[], open: ReadonlySet<number>): Set<number> {
  const result = new Set(open);
  for (const index of result) {
    const kind = steps[index]?.kind;
    if (kind === 'within' || kind === 'across' || kind === 'folders') result.add(index + 1);
    if (kind === 'folders') result.add(index + 2);
  }
  return result;
}

/** A predicate over full paths: included (or no include globs) and not excluded. Exclude wins. */
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
