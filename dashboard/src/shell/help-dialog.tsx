import { Kbd, Modal, Switch, Table, Text } from '@mantine/core';
import { Fragment, useState } from 'react';
import { areSingleKeysEnabled, setSingleKeysEnabled } from '../keyboard/hotkeys.ts';

const SHORTCUTS: readonly [scope: string, keys: string, action: string][] = [
  ['Everywhere', '?', 'Show this list'],
  ['Everywhere', 'Ctrl+K', 'Open the command palette'],
  ['Everywhere', '/', 'Focus the search field'],
  ['Everywhere', 'g o', 'Overview'],
  ['Everywhere', 'g i', 'Integrations'],
  ['Everywhere', 'g r', 'Repositories'],
  ['Everywhere', 'g f', 'Findings'],
  ['Everywhere', 'g s', 'Settings'],
  ['Everywhere', 'Esc', 'Close the dialog or panel'],
  ['Lists', 'j k', 'Next, previous row'],
  ['Lists', 'Enter', 'Open the row'],
  ['Integrations', 'n', 'New integration'],
  ['Integrations', 'v', 'Verify the integration'],
  ['Repository', 's', 'Scan'],
  ['Repository', 'f', 'Scan the full history'],
  ['Findings', 'x', 'Select the row'],
  ['Findings', 'Shift+j Shift+k', 'Extend the selection'],
  ['Findings', 'i 1 to 4', 'Ignore: false positive, accepted risk, used in tests, other'],
  ['Findings', 'r', 'Reopen'],
  ['Findings', 'c', 'Copy the link'],
  ['Findings', 'v', 'Open in GitLab'],
];

/** The list of shortcuts, and the switch for single-key shortcuts. */
export default function HelpDialog({ onClose }: { onClose: () => void }) {
  const [isEnabled, setEnabled] = useState(areSingleKeysEnabled);
  return (
    <Modal opened onClose={onClose} title="Keyboard shortcuts" size="lg">
      <Switch
        label="Single-key shortcuts"
        description="Turn off if you use speech input or other software that types for you."
        checked={isEnabled}
        onChange={(event) => {
          setSingleKeysEnabled(event.currentTarget.checked);
          setEnabled(event.currentTarget.checked);
        }}
        mb="md"
      />
      <Table>
        <Table.Tbody>
          {SHORTCUTS.map(([scope, keys, action], row) => (
            <Table.Tr key={`${scope} ${keys}`}>
              <Table.Td>
                <Text size="sm" c="dimmed">
                  {SHORTCUTS[row - 1]?.[0] === scope ? '' : scope}
                </Text>
              </Table.Td>
              <Table.Td>
                {keys.split(' ').map((part) => (
                  <Fragment key={part}>{part === 'to' ? ' to ' : <Kbd>{part}</Kbd>} </Fragment>
                ))}
              </Table.Td>
              <Table.Td>{action}</Table.Td>
            </Table.Tr>
          ))}
        </Table.Tbody>
      </Table>
    </Modal>
  );
}
