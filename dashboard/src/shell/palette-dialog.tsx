import { Modal, Text, TextInput } from '@mantine/core';
import { useDebouncedValue } from '@mantine/hooks';
import type { KeyboardEvent } from 'react';
import { useEffect, useId, useState } from 'react';
import classes from './palette.module.css';
import type { Item } from './palette-items.ts';
import { findMatches, groupItems } from './palette-items.ts';
import { useActions, useIntegrations, usePages, useRepositories } from './palette-sources.ts';

const DEBOUNCE_MS = 150;

/**
 * The command palette: opens pages, integrations and repositories by name, and runs actions. Our own, because
 * `@mantine/spotlight` gives its list no combobox roles, so screen readers do not announce the active option, and it
 * loses the active option when results arrive later.
 */
export default function PaletteDialog({ onClose }: { onClose: () => void }) {
  const [query, setQuery] = useState('');
  const { items, isBusy } = useItems(query);
  const [activeIndex, setActiveIndex] = useState(0);
  const id = useId();
  const active = Math.min(activeIndex, items.length - 1);
  const run = (item: Item | undefined) => {
    if (item === undefined) return;
    onClose();
    item.run();
  };
  const onKeyDown = (event: KeyboardEvent) => {
    if (event.nativeEvent.isComposing) return;
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (step !== undefined) setActiveIndex((active + step + items.length) % Math.max(1, items.length));
    else if (event.key === 'Enter') run(items[active]);
    else return;
    event.preventDefault();
  };
  return (
    <Modal
      opened
      onClose={onClose}
      withCloseButton={false}
      centered={false}
      padding={0}
      attributes={{ content: { 'aria-label': 'Command palette' } }}
    >
      <TextInput
        size="md"
        variant="unstyled"
        classNames={{ root: classes['root'] ?? '', input: classes['input'] ?? '' }}
        placeholder="Search pages, integrations, repositories and actions"
        aria-label="Search pages, integrations, repositories and actions"
        role="combobox"
        aria-expanded="true"
        aria-controls={`${id}-list`}
        aria-autocomplete="list"
        aria-activedescendant={items.length === 0 ? undefined : `${id}-${active}`}
        autoComplete="off"
        spellCheck={false}
        value={query}
        onChange={(event) => {
          setQuery(event.currentTarget.value);
          setActiveIndex(0);
        }}
        onKeyDown={onKeyDown}
        data-autofocus
      />
      <Options id={id} items={items} active={active} onRun={run} />
      {items.length === 0 && (
        <Text size="sm" c="dimmed" px="md" pb="md" role="status">
          {isBusy ? 'Searching' : 'No results'}
        </Text>
      )}
    </Modal>
  );
}

function useItems(query: string): { items: Item[]; isBusy: boolean } {
  const [debouncedQuery] = useDebouncedValue(query, DEBOUNCE_MS);
  const pages = usePages();
  const actions = useActions();
  const integrations = useIntegrations();
  const repositories = useRepositories(debouncedQuery);
  return {
    items: [pages, integrations, repositories.items, actions].flatMap((source) => findMatches(source, query)),
    isBusy: repositories.isBusy || debouncedQuery !== query,
  };
}

function Options({
  id,
  items,
  active,
  onRun,
}: {
  id: string;
  items: readonly Item[];
  active: number;
  onRun: (item: Item) => void;
}) {
  useEffect(() => {
    document.getElementById(`${id}-${active}`)?.scrollIntoView({ block: 'nearest' });
  }, [id, active]);
  const groups = groupItems(items);
  return (
    <div id={`${id}-list`} role="listbox" aria-label="Results" className={classes['list']}>
      {groups.map(([group, groupedItems]) => (
        // biome-ignore lint/a11y/useSemanticElements: a listbox contains groups, not fieldsets
        <div key={group} role="group" aria-label={group}>
          <div className={classes['group']} aria-hidden="true">
            {group}
          </div>
          {groupedItems.map((item) => (
            <Option
              key={item.id}
              id={`${id}-${items.indexOf(item)}`}
              item={item}
              isActive={items.indexOf(item) === active}
              onRun={onRun}
            />
          ))}
        </div>
      ))}
    </div>
  );
}

function Option({
  id,
  item,
  isActive,
  onRun,
}: {
  id: string;
  item: Item;
  isActive: boolean;
  onRun: (item: Item) => void;
}) {
  return (
    // biome-ignore lint/a11y/useKeyWithClickEvents: the input has the focus and handles the keys
    // biome-ignore lint/a11y/useFocusableInteractive: the input refers to the active option
    <div
      id={id}
      role="option"
      aria-selected={isActive}
      className={classes['option']}
      onClick={() => onRun(item)}
    >
      <span className={classes['text']}>{item.text}</span>
      {item.hint !== undefined && <span className={classes['hint']}>{item.hint}</span>}
    </div>
  );
}
