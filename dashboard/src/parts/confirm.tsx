import { Button, Group, Modal, Text, TextInput } from '@mantine/core';
import type { ReactNode } from 'react';
import { useId, useState } from 'react';
import { ProblemPanel } from './problem-panel.tsx';

/**
 * Asks for confirmation. The title asks the question, the button names the action, and errors are shown in the dialog.
 * With `phrase`, the button works only after the user typed it.
 */
export function Confirm({
  title,
  children,
  phrase,
  action,
  isDangerous = true,
  disabled = false,
  onConfirm,
  onClose,
}: {
  title: string;
  children: ReactNode;
  phrase?: string;
  action: string;
  isDangerous?: boolean;
  disabled?: boolean;
  onConfirm: () => Promise<void>;
  onClose: () => void;
}) {
  const [typed, setTyped] = useState('');
  const [isRunning, setRunning] = useState(false);
  const [error, setError] = useState<unknown>(null);
  const isReady = !disabled && (phrase === undefined || typed === phrase);
  const run = async () => {
    setRunning(true);
    setError(null);
    try {
      await onConfirm();
      onClose();
    } catch (err) {
      setError(err);
    } finally {
      setRunning(false);
    }
  };
  return (
    <Modal opened onClose={onClose} title={title} closeOnClickOutside={!isRunning}>
      <form
        onSubmit={(event) => {
          event.preventDefault();
          if (isReady && !isRunning) void run();
        }}
      >
        {error !== null && <ProblemPanel error={error} />}
        <Text component="div" size="sm">
          {children}
        </Text>
        {phrase !== undefined && <PhraseField phrase={phrase} value={typed} onChange={setTyped} />}
        <Group justify="flex-end" gap="sm" mt="lg">
          <Button variant="default" onClick={onClose} disabled={isRunning}>
            Cancel
          </Button>
          <Button type="submit" color={isDangerous ? 'bad' : 'info'} disabled={!isReady} loading={isRunning}>
            {action}
          </Button>
        </Group>
      </form>
    </Modal>
  );
}

function PhraseField({
  phrase,
  value,
  onChange,
}: {
  phrase: string;
  value: string;
  onChange: (text: string) => void;
}) {
  return (
    <TextInput
      id={useId()}
      mt="md"
      label={
        <>
          Type <strong>{phrase}</strong> to confirm
        </>
      }
      value={value}
      onChange={(event) => onChange(event.currentTarget.value)}
      autoComplete="off"
      autoCorrect="off"
      spellCheck={false}
      data-autofocus
    />
  );
}
