import { NativeSelect, PasswordInput, TextInput } from '@mantine/core';
import { useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { api, request } from '../../../api/api.ts';
import { queryKeys } from '../../../api/query-keys.ts';
import type { Role } from '../../../api/session.ts';
import { useMe } from '../../../api/session.ts';
import { Confirm } from '../../../parts/confirm.tsx';
import { FormDialog } from '../../../parts/form-dialog.tsx';
import { formField } from '../../../parts/form-field.ts';
import { ROLE_TEXTS } from '../roles.ts';
import type { User } from './data.ts';

const MIN_CHARACTERS = 12;

export interface UserDialogProps {
  user: User;
  onClose: () => void;
}

function RoleField({ initial }: { initial: Role }) {
  const [role, setRole] = useState(initial);
  return (
    <NativeSelect
      name="role"
      label="Role"
      size="xs"
      description={ROLE_TEXTS[role].permissions}
      value={role}
      onChange={(event) => setRole(event.currentTarget.value as Role)}
      data={Object.entries(ROLE_TEXTS).map(([value, { text }]) => ({ value, label: text }))}
      mt="sm"
    />
  );
}

function PasswordField({ label, description }: { label: string; description: string }) {
  return (
    <PasswordInput
      name="password"
      label={label}
      description={description}
      autoComplete="new-password"
      minLength={MIN_CHARACTERS}
      required
      mt="sm"
    />
  );
}

export function NewUserDialog({ onClose }: { onClose: () => void }) {
  const client = useQueryClient();
  const create = async (form: HTMLFormElement) => {
    const json = {
      username: formField(form, 'username'),
      password: formField(form, 'password'),
      role: formField(form, 'role') as Role,
    };
    await request(api.users.$post({ json }));
    await client.invalidateQueries({ queryKey: queryKeys.users });
    onClose();
  };
  return (
    <FormDialog title="New user" action="Create user" onSubmit={create} onClose={onClose}>
      <TextInput
        name="username"
        label="Username"
        autoComplete="off"
        autoCapitalize="none"
        required
        data-autofocus
      />
      <PasswordField
        label="Password"
        description={`At least ${MIN_CHARACTERS} characters. The user can change it from the user menu.`}
      />
      <RoleField initial="viewer" />
    </FormDialog>
  );
}

export function RoleDialog({ user, onClose }: UserDialogProps) {
  const client = useQueryClient();
  const change = async (form: HTMLFormElement) => {
    const json = { role: formField(form, 'role') as Role };
    await request(api.users[':id'].$patch({ param: { id: user.id }, json }));
    await client.invalidateQueries({ queryKey: queryKeys.users });
    onClose();
    // the pages depend on the role of the signed-in user, who may have changed it
    void client.invalidateQueries({ queryKey: queryKeys.me });
  };
  return (
    <FormDialog
      title={`Change the role of ${user.username}?`}
      action="Change role"
      onSubmit={change}
      onClose={onClose}
    >
      <RoleField initial={user.role} />
    </FormDialog>
  );
}

export function ResetPasswordDialog({ user, onClose }: UserDialogProps) {
  const client = useQueryClient();
  const change = async (form: HTMLFormElement) => {
    const json = { password: formField(form, 'password') };
    await request(api.users[':id'].$patch({ param: { id: user.id }, json }));
    await client.invalidateQueries({ queryKey: queryKeys.users });
    onClose();
  };
  return (
    <FormDialog
      title={`Reset the password of ${user.username}?`}
      action="Reset password"
      onSubmit={change}
      onClose={onClose}
    >
      <PasswordField
        label="New password"
        description={`At least ${MIN_CHARACTERS} characters. All sessions of ${user.username} end.`}
      />
    </FormDialog>
  );
}

export function RemoveUserDialog({ user, onClose }: UserDialogProps) {
  const client = useQueryClient();
  const isMe = useMe().id === user.id;
  return (
    <Confirm
      title={`Remove ${user.username}?`}
      action="Remove user"
      onConfirm={async () => {
        await request(api.users[':id'].$delete({ param: { id: user.id } }));
        await client.invalidateQueries({ queryKey: queryKeys.users });
      }}
      onClose={onClose}
    >
      {isMe ? 'This is your own account: you are signed out immediately.' : 'All sessions of this user end.'}{' '}
      The audit log keeps their actions.
      {user.source === 'oidc' &&
        ' The user can sign in again through single sign-on as long as the provider allows it.'}
    </Confirm>
  );
}
