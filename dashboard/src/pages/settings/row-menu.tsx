import { ActionIcon, Menu } from '@mantine/core';
import { IconDots } from '@tabler/icons-react';

export interface RowAction {
  text: string;
  onClick: () => void;
  danger?: boolean;
  /** Why the action is not available now; shown beside its name. */
  blocked?: string | null;
}

/** The actions of a row that have no button of their own. */
export function RowMenu({ label, actions }: { label: string; actions: readonly RowAction[] }) {
  return (
    <Menu position="bottom-end" width={240}>
      <Menu.Target>
        <ActionIcon aria-label={label}>
          <IconDots size={16} />
        </ActionIcon>
      </Menu.Target>
      <Menu.Dropdown>
        {actions.map((action) => (
          <Item key={action.text} {...action} />
        ))}
      </Menu.Dropdown>
    </Menu>
  );
}

/** A blocked action keeps keyboard focus, so that its reason can be read. */
function Item({ text, onClick, danger = false, blocked = null }: RowAction) {
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
