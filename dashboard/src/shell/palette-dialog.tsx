import { Modal, Text, TextInput } from '@mantine/core';
import { useDebouncedValue } from '@mantine/hooks';
import type { KeyboardEvent } from 'react';
import { useEffect, useId, useState } from 'react';
import classes from './palette.module.css';
import type { Item } from './palette-items.ts';
import { grouped, matching } from './palette-items.ts';
import { useActions, useIntegrations, usePages, useRepositories } from './palette-sources.ts';

const PAUSE_MS = 150;

/** Goes to a page, an integration or a repository by name, or does something with the page in view. */
export default function PaletteDialog({ onClose }: { onClose: () => void }) {
  const [query, setQuery] = useState('');
  const { items, isBusy } = useItems(query);
  const [active, setActive] = useState(0);
  const id = useId();
  const at = Math.min(active, items.length - 1);
  const run = (item: Item | undefined) => {
    if (item === undefined) return;
    onClose();
    item.act();
  };
  const onKeyDown = (event: KeyboardEvent) => {
    if (event.nativeEvent.isComposing) return;
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (step !== undefined) setActive((at + step + items.length) % Math.max(1, items.length));
    else if (event.key === 'Enter') run(items[at]);
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
      attributes={{ content: { 'aria-label': 'Go to or do' } }}
    >
      <TextInput
        size="md"
        variant="unstyled"
        classNames={{ root: classes['root'] ?? '', input: classes['input'] ?? '' }}
        placeholder="Page, integration, repository, action"
        aria-label="Page, integration, repository, action"
        role="combobox"
        aria-expanded="true"
        aria-controls={`${id}-list`}
        aria-autocomplete="list"
        aria-activedescendant={items.length === 0 ? undefined : `${id}-${at}`}
        autoComplete="off"
        spellCheck={false}
        value={query}
        onChange={(event) => {
          setQuery(event.currentTarget.value);
          setActive(0);
        }}
        onKeyDown={onKeyDown}
        data-autofocus
      />
      <Options id={id} items={items} at={at} onRun={run} />
      {items.length === 0 && (
        <Text size="sm" c="dimmed" px="md" pb="md" role="status">
          {isBusy ? 'Searching' : 'Nothing of this name.'}
        </Text>
      )}
    </Modal>
  );
}

function useItems(query: string): { items: Item[]; isBusy: boolean } {
  const [settled] = useDebouncedValue(query, PAUSE_MS);
  const pages = usePages();
  const actions = useActions();
  const integrations = useIntegrations();
  const repositories = useRepositories(settled);
  return {
    items: [pages, integrations, repositories.items, actions].flatMap((of) => matching(of, query)),
    isBusy: repositories.isBusy || settled !== query,
  };
}

function Options({
  id,
  items,
  at,
  onRun,
}: {
  id: string;
  items: readonly Item[];
  at: number;
  onRun: (item: Item) => void;
}) {
  useEffect(() => {
    document.getElementById(`${id}-${at}`)?.scrollIntoView({ block: 'nearest' });
  }, [id, at]);
  const groups = grouped(items);
  return (
    <div id={`${id}-list`} role="listbox" aria-label="What fits" className={classes['list']}>
      {groups.map(([group, of]) => (
        // biome-ignore lint/a11y/useSemanticElements: a list box has groups, not field sets
        <div key={group} role="group" aria-label={group}>
          <div className={classes['group']} aria-hidden="true">
            {group}
          </div>
          {of.map((item) => (
            <Option
              key={item.id}
              id={`${id}-${items.indexOf(item)}`}
              item={item}
              active={items.indexOf(item) === at}
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
  active,
  onRun,
}: {
  id: string;
  item: Item;
  active: boolean;
  onRun: (item: Item) => void;
}) {
  return (
    // biome-ignore lint/a11y/useKeyWithClickEvents: the input has the focus and the keys
    // biome-ignore lint/a11y/useFocusableInteractive: the input points at the one that is active
    <div
      id={id}
      role="option"
      aria-selected={active}
      className={classes['option']}
      onClick={() => onRun(item)}
    >
      <span className={classes['text']}>{item.text}</span>
      {item.hint !== undefined && <span className={classes['hint']}>{item.hint}</span>}
    </div>
  );
}
