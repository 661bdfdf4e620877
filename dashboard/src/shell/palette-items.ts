/** Something to go to or to do, by name. */
export interface Item {
  id: string;
  group: string;
  text: string;
  /** Where it is, or what it belongs to. */
  hint?: string;
  act: () => void;
}

/** Those that hold every word of the query; whoever begins with it comes first, else the order stays. */
export function matching<T extends Pick<Item, 'text'>>(items: readonly T[], query: string): T[] {
  const wanted = query.trim().toLowerCase();
  const words = wanted.split(/\s+/);
  const fitting = items.filter(({ text }) => words.every((word) => text.toLowerCase().includes(word)));
  const first = (item: T) => item.text.toLowerCase().startsWith(wanted);
  return [...fitting.filter(first), ...fitting.filter((item) => !first(item))];
}

/** In groups, in the order in which these first appear. */
export function grouped(items: readonly Item[]): [group: string, items: Item[]][] {
  return [...Map.groupBy(items, ({ group }) => group)];
}
