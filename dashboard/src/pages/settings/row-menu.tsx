import { ActionIcon, Menu } from '@mantine/core';
import { IconDots } from '@tabler/icons-react';

export interface RowAct {
  text: string;
  onClick: () => void;
  danger?: boolean;
  /** Why it cannot be done now; it is shown in place of the act being possible. */
  blocked?: string | null;
}

/** What can be done with a row, beside what has a button of its own. */
export function RowMenu({ label, acts }: { label: string; acts: readonly RowAct[] }) {
  return (
    <Menu position="bottom-end" width={240}>
      <Menu.Target>
        <ActionIcon aria-label={label}>
          <IconDots size={16} />
        </ActionIcon>
      </Menu.Target>
      <Menu.Dropdown>
        {acts.map((act) => (
          <Item key={act.text} {...act} />
        ))}
      </Menu.Dropdown>
    </Menu>
  );
}

/** A blocked act can still be reached by keyboard, so that its reason can be read. */
function Item({ text, onClick, danger = false, blocked = null }: RowAct) {
  if (blocked === null)
    return (
      <Menu.Item onClick={onClick} {...(danger ? { c: 'bad' } : {})}>
        {text}
      </Menu.Item>
    );
  return (
    <Menu.Item aria-disabled="true" closeMenuOnClick={false} c="dimmed">
      {text}: {blocked}
    </Menu.Item>
  );
}
