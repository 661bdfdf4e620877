import { Kbd, Modal, Switch, Table, Text } from '@mantine/core';
import { Fragment, useState } from 'react';
import { areSingleKeysEnabled, setSingleKeysEnabled } from '../keyboard/hotkeys.ts';

const KEYS: readonly [where: string, key: string, does: string][] = [
  ['Everywhere', '?', 'this list'],
  ['Everywhere', 'Ctrl+K', 'go to a page, an integration, a repository by name; actions'],
  ['Everywhere', '/', 'search of the page'],
  ['Everywhere', 'g o', 'Overview'],
  ['Everywhere', 'g i', 'Integrations'],
  ['Everywhere', 'g r', 'Repositories'],
  ['Everywhere', 'g f', 'Findings'],
  ['Everywhere', 'g s', 'Settings'],
  ['Everywhere', 'Esc', 'close what is on top'],
  ['Lists', 'j k', 'next, previous row'],
  ['Lists', 'Enter', 'open the row'],
  ['Integrations', 'n', 'new integration'],
  ['Integrations', 'v', 'verify the row'],
  ['Repository', 's', 'scan'],
  ['Repository', 'f', 'scan with history'],
  ['Findings', 'x', 'select the row'],
  ['Findings', 'Shift+j Shift+k', 'extend the selection'],
  ['Findings', 'i 1 to 4', 'ignore: false positive, accepted risk, used in tests, other'],
  ['Findings', 'r', 'reopen'],
  ['Findings', 'c', 'copy the link'],
  ['Findings', 'v', 'open in GitLab'],
];

/** The keys, and the switch that turns the single ones off. */
export default function HelpDialog({ onClose }: { onClose: () => void }) {
  const [on, setOn] = useState(areSingleKeysEnabled);
  return (
    <Modal opened onClose={onClose} title="Keys" size="lg">
      <Switch
        label="Single keys"
        description="Off helps where speech or other software types for you."
        checked={on}
        onChange={(event) => {
          setSingleKeysEnabled(event.currentTarget.checked);
          setOn(event.currentTarget.checked);
        }}
        mb="md"
      />
      <Table>
        <Table.Tbody>
          {KEYS.map(([where, key, does], row) => (
            <Table.Tr key={`${where} ${key}`}>
              <Table.Td>
                <Text size="sm" c="dimmed">
                  {KEYS[row - 1]?.[0] === where ? '' : where}
                </Text>
              </Table.Td>
              <Table.Td>
                {key.split(' ').map((part) => (
                  <Fragment key={part}>{part === 'to' ? ' to ' : <Kbd>{part}</Kbd>} </Fragment>
                ))}
              </Table.Td>
              <Table.Td>{does}</Table.Td>
            </Table.Tr>
          ))}
        </Table.Tbody>
      </Table>
    </Modal>
  );
}
