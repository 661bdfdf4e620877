import { Button, Group, Modal } from '@mantine/core';
import type { ReactNode } from 'react';
import { useState } from 'react';
import { ProblemPanel } from './problem-panel.tsx';

/**
 * A dialog with fields. They are read from the form when it is sent and gone when it closes; what went wrong is said
 * inside, and the fields stay as they are.
 */
export function FormDialog({
  title,
  act,
  children,
  size = 'md',
  onSubmit,
  onClose,
}: {
  title: string;
  act: string;
  children: ReactNode;
  size?: string;
  /** Whoever calls closes it, once it is done. */
  onSubmit: (form: HTMLFormElement) => Promise<void>;
  onClose: () => void;
}) {
  const [running, setRunning] = useState(false);
  const [error, setError] = useState<unknown>(null);
  const submit = async (form: HTMLFormElement) => {
    setRunning(true);
    setError(null);
    try {
      await onSubmit(form);
    } catch (err) {
      setError(err);
    } finally {
      setRunning(false);
    }
  };
  return (
    <Modal opened onClose={onClose} title={title} size={size} closeOnClickOutside={!running}>
      <form
        onSubmit={(event) => {
          event.preventDefault();
          if (!running) void submit(event.currentTarget);
        }}
      >
        {error !== null && <ProblemPanel error={error} />}
        {children}
        <Group justify="flex-end" gap="sm" mt="lg">
          <Button variant="default" onClick={onClose} disabled={running}>
            Cancel
          </Button>
          <Button type="submit" loading={running}>
            {act}
          </Button>
        </Group>
      </form>
    </Modal>
  );
}
