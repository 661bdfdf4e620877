/** A destination or an action of the command palette. */
export interface Item {
  id: string;
  group: string;
  text: string;
  /** Shown beside the text, such as the host of an integration. */
  hint?: string;
  run: () => void;
}

/** Items that contain every word of the query; items that start with the query come first. */
export function findMatches<T extends Pick<Item, 'text'>>(items: readonly T[], query: string): T[] {
  const normalized = query.trim().toLowerCase();
  const words = normalized.split(/\s+/);
  const matches = items.filter(({ text }) => words.every((word) => text.toLowerCase().includes(word)));
  const isPrefixMatch = (item: T) => item.text.toLowerCase().startsWith(normalized);
  return [...matches.filter(isPrefixMatch), ...matches.filter((item) => !isPrefixMatch(item))];
}

/** Items by group, in order of first appearance. */
export function groupItems(items: readonly Item[]): [group: string, items: Item[]][] {
  return [...Map.groupBy(items, ({ group }) => group)];
}
