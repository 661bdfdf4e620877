import { Button, Group, Modal, PasswordInput } from '@mantine/core';
import { useState } from 'react';
import { api, request } from '../api/api.ts';
import { formField } from '../parts/form-field.ts';
import { ProblemPanel } from '../parts/problem-panel.tsx';
import { showToast } from '../parts/toast.ts';

/** Changes the user's own password. Passwords are never kept in state: they go from the form to the request. */
export default function PasswordDialog({ onClose }: { onClose: () => void }) {
  const [error, setError] = useState<unknown>(null);
  const [isRunning, setRunning] = useState(false);
  const change = async (form: HTMLFormElement) => {
    setRunning(true);
    try {
      const json = { current: formField(form, 'current'), password: formField(form, 'password') };
      await request(api.auth.password.$post({ json }));
      showToast('Password changed. Your other sessions are signed out.');
      onClose();
    } catch (err) {
      setError(err);
    } finally {
      setRunning(false);
    }
  };
  return (
    <Modal opened onClose={onClose} title="Change password">
      <form
        onSubmit={(event) => {
          event.preventDefault();
          void change(event.currentTarget);
        }}
      >
        {error !== null && <ProblemPanel error={error} />}
        <PasswordInput
          name="current"
          label="Current password"
          autoComplete="current-password"
          required
          data-autofocus
        />
        <PasswordInput
          name="password"
          label="New password"
          description="At least 12 characters. Your other sessions are signed out."
          autoComplete="new-password"
          required
          minLength={12}
          mt="sm"
        />
        <Group justify="flex-end" gap="sm" mt="lg">
          <Button variant="default" onClick={onClose}>
            Cancel
          </Button>
          <Button type="submit" loading={isRunning}>
            Change password
          </Button>
        </Group>
      </form>
    </Modal>
  );
}
