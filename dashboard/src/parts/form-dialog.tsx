import { Button, Group, Modal } from '@mantine/core';
import type { ReactNode } from 'react';
import { useState } from 'react';
import { ProblemPanel } from './problem-panel.tsx';

/**
 * A dialog with a form. Values are read from the form on submit and discarded on close. Errors are shown in the dialog
 * and keep the values.
 */
export function FormDialog({
  title,
  action,
  children,
  size = 'md',
  onSubmit,
  onClose,
}: {
  title: string;
  action: string;
  children: ReactNode;
  size?: string;
  /** The caller closes the dialog when the request succeeds. */
  onSubmit: (form: HTMLFormElement) => Promise<void>;
  onClose: () => void;
}) {
  const [isRunning, setRunning] = useState(false);
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
    <Modal opened onClose={onClose} title={title} size={size} closeOnClickOutside={!isRunning}>
      <form
        onSubmit={(event) => {
          event.preventDefault();
          if (!isRunning) void submit(event.currentTarget);
        }}
      >
        {error !== null && <ProblemPanel error={error} />}
        {children}
        <Group justify="flex-end" gap="sm" mt="lg">
          <Button variant="default" onClick={onClose} disabled={isRunning}>
            Cancel
          </Button>
          <Button type="submit" loading={isRunning}>
            {action}
          </Button>
        </Group>
      </form>
    </Modal>
  );
}
