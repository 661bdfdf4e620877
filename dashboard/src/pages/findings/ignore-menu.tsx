import { Button, Kbd, Menu } from '@mantine/core';
import { IconChevronDown } from '@tabler/icons-react';
import type { Reason } from './finding-labels.ts';
import { REASON_TEXTS, REASONS } from './finding-labels.ts';

/** The reasons, and the dialog for a comment or an end date. */
export function IgnoreMenu({
  disabled,
  onReason,
  onMore,
}: {
  disabled: boolean;
  onReason: (reason: Reason) => void;
  onMore: () => void;
}) {
  return (
    <Menu position="bottom-start">
      <Menu.Target>
        <Button variant="default" disabled={disabled} rightSection={<IconChevronDown size={14} />}>
          Ignore
        </Button>
      </Menu.Target>
      <Menu.Dropdown>
        {REASONS.map((reason, index) => (
          <Menu.Item
            key={reason}
            rightSection={<Kbd size="xs">i {index + 1}</Kbd>}
            onClick={() => onReason(reason)}
          >
            {REASON_TEXTS[reason]}
          </Menu.Item>
        ))}
        <Menu.Divider />
        <Menu.Item onClick={onMore}>Add a comment or end date</Menu.Item>
      </Menu.Dropdown>
    </Menu>
  );
}
