import { Button, Checkbox, Code, Group, Modal, Text } from '@mantine/core';
import { useState } from 'react';
import { CopyButton } from '../../parts/copy-button.tsx';
import classes from './settings.module.css';

/** Shows values that are not available again; the dialog closes once the user confirms that they are stored. */
export function OneTimeSecret({
  title,
  values,
  onStored,
}: {
  title: string;
  values: readonly { label: string; value: string; hint: string }[];
  onStored: () => void;
}) {
  const [stored, setStored] = useState(false);
  return (
    <Modal
      opened
      onClose={onStored}
      title={title}
      size="lg"
      withCloseButton={false}
      closeOnClickOutside={false}
      closeOnEscape={false}
    >
      {values.map(({ label, value, hint }) => (
        <div key={label}>
          <Text size="sm" fw={600} mt="sm" mb={4}>
            {label}
          </Text>
          <div className={classes['once']}>
            <Code unstyled>{value}</Code>
            <CopyButton text={value} label={`Copy ${label.toLowerCase()}`} />
          </div>
          <Text size="xs" c="dimmed" mt={4}>
            {hint}
          </Text>
        </div>
      ))}
      <Checkbox
        mt="lg"
        size="xs"
        label="I have stored it. It will not be shown again."
        checked={stored}
        onChange={(event) => setStored(event.currentTarget.checked)}
        data-autofocus
      />
      <Group justify="flex-end" mt="md">
        <Button onClick={onStored} disabled={!stored}>
          Done
        </Button>
      </Group>
    </Modal>
  );
}
