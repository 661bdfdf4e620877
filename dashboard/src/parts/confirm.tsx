import { Button, Group, Modal, Text, TextInput } from '@mantine/core';
import type { ReactNode } from 'react';
import { useId, useState } from 'react';
import { ProblemPanel } from './problem-panel.tsx';

/**
 * Asks before an act that is serious. The title asks the question, the button is named after the act; what goes wrong
 * is said inside. `phrase` has to be typed exactly before the button works.
 */
export function Confirm({
  title,
  children,
  phrase,
  act,
  keep = 'Cancel',
  danger = true,
  disabled = false,
  onAct,
  onClose,
}: {
  title: string;
  children: ReactNode;
  phrase?: string;
  act: string;
  keep?: string;
  danger?: boolean;
  disabled?: boolean;
  onAct: () => Promise<void>;
  onClose: () => void;
}) {
  const [typed, setTyped] = useState('');
  const [running, setRunning] = useState(false);
  const [error, setError] = useState<unknown>(null);
  const id = useId();
  const ready = !disabled && (phrase === undefined || typed === phrase);
  const run = async () => {
    setRunning(true);
    setError(null);
    try {
      await onAct();
      onClose();
    } catch (err) {
      setError(err);
    } finally {
      setRunning(false);
    }
  };
  return (
    <Modal opened onClose={onClose} title={title} closeOnClickOutside={!running}>
      <form
        onSubmit={(event) => {
          event.preventDefault();
          if (ready && !running) void run();
        }}
      >
        {error !== null && <ProblemPanel error={error} />}
        <Text component="div" size="sm">
          {children}
        </Text>
        {phrase !== undefined && (
          <TextInput
            id={id}
            mt="md"
            label={
              <>
                Type <strong>{phrase}</strong> to confirm
              </>
            }
            value={typed}
            onChange={(event) => setTyped(event.currentTarget.value)}
            autoComplete="off"
            autoCorrect="off"
            spellCheck={false}
            data-autofocus
          />
        )}
        <Group justify="flex-end" gap="sm" mt="lg">
          <Button variant="default" onClick={onClose} disabled={running}>
            {keep}
          </Button>
          <Button type="submit" color={danger ? 'bad' : 'info'} disabled={!ready} loading={running}>
            {act}
          </Button>
        </Group>
      </form>
    </Modal>
  );
}
