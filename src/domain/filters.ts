import type { Filters } from './integration.ts';

type Step =
  | { kind: 'one'; char: string }
  | { kind: 'any' } // `?`
  | { kind: 'within' } // `*`
  | { kind: 'across' } // `**`
  | { kind: 'folders' } // the first half of `**/`, which matches no segment
  | { kind: 'folder' }; // the second half of `**/`, which matches one or more segments

/**
 * A path filter: `*` within a segment, `**` across segments, `?` one character; case-insensitive. `acme/**`
 * matches everything below `acme` but not `acme` itself. Ours instead of a library: it runs in time proportional
 * to glob × path, while a regular expression made of a glob with a few `**` backtracks for minutes.
 */
export function globMatcher(glob: string): (path: string) => boolean {
  return createMatcher(stepsOf(glob));
}

/** Wildcards (`*`, `**`) of one glob, and of one list of globs: they bound what a match costs. */
export const MAX_WILDCARDS_PER_GLOB = 8;
export const MAX_WILDCARDS_PER_LIST = 200;

/** How many wildcards a glob has, counted after repeated ones are collapsed. `?` costs nothing. */
export function wildcardsOf(glob: string): number {
  return collapsed(glob).match(/\*\*\/?|\*/g)?.length ?? 0;
}

/** Repeated wildcards match what one of them matches: three or more stars, and two stars and a slash many times. */
function collapsed(glob: string): string {
  return glob.replace(/\*{3,}(?![*/])/g, '**').replace(/(?:\*\*\/)+/g, '**/');
}

function stepsOf(glob: string): Step[] {
  return collapsed(glob)
    .split(/(\*\*\/?|\*|\?)/)
    .flatMap((part): Step[] => {
      if (part === '**') return [{ kind: 'across' }];
      if (part === '**/') return [{ kind: 'folders' }, { kind: 'folder' }];
      if (part === '*') return [{ kind: 'within' }];
      if (part === '?') return [{ kind: 'any' }];
      return Array.from(part.toLowerCase(), (char): Step => ({ kind: 'one', char }));
    });
}

/** Walks the path once and tracks every step that may match the next character. */
function createMatcher(steps: readonly Step[]): (path: string) => boolean {
  /** For each step, the last position at which it became possible: a step is tracked once per character. */
  const reachedAt = new Int32Array(steps.length + 1);

  function reach(index: number, position: number, open: number[]): void {
    if (reachedAt[index] === position) return;
    reachedAt[index] = position;
    open.push(index);
    const kind = steps[index]?.kind;
    // a step that may match nothing also makes the next step possible
    if (kind === 'within' || kind === 'across' || kind === 'folders') reach(index + 1, position, open);
    if (kind === 'folders') reach(index + 2, position, open);
  }

  return (path) => {
    reachedAt.fill(-1);
    let open: number[] = [];
    reach(0, 0, open);
    let position = 0;
    for (const char of path.toLowerCase()) {
      position += 1;
      const next: number[] = [];
      for (const index of open) {
        const step = steps[index];
        if (step === undefined) continue;
        if (repeats(step, char)) reach(index, position, next);
        if (advances(step, char)) reach(index + 1, position, next);
      }
      if (next.length === 0) return false;
      open = next;
    }
    return reachedAt[steps.length] === position;
  };
}

/** The step matches this character and may match the next one too. */
function repeats(step: Step, char: string): boolean {
  return step.kind === 'across' || step.kind === 'folder' || (step.kind === 'within' && char !== '/');
}

/** The step matches this character as its last one. */
function advances(step: Step, char: string): boolean {
  if (step.kind === 'one') return step.char === char;
  if (step.kind === 'any') return char !== '/';
  return step.kind === 'folder' && char === '/';
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
