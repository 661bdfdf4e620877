/** Takes one line for the operator. The embedded default reports what it does through it and never prints itself. */
export type Say = (line: string) => void;

/** What an error says. Not by `instanceof`: under jest, errors of node's own modules belong to another realm. */
export function messageOf(err: unknown): string {
  return typeof err === 'object' && err !== null && 'message' in err ? String(err.message) : String(err);
}
