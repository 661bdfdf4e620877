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
import type { User } from './data.ts';
import { USER_ROLES } from './data.ts';

const MIN_CHARACTERS = 12;

interface Of {
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
      description={`${USER_ROLES[role].text}: ${USER_ROLES[role].may}.`}
      value={role}
      onChange={(event) => setRole(event.currentTarget.value as Role)}
      data={Object.entries(USER_ROLES).map(([value, { text }]) => ({ value, label: text }))}
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
    <FormDialog title="New user" act="Create user" onSubmit={create} onClose={onClose}>
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
        description={`${MIN_CHARACTERS} characters or more. Hand it over; they change it from their own menu.`}
      />
      <RoleField initial="viewer" />
    </FormDialog>
  );
}

export function RoleDialog({ user, onClose }: Of) {
  const client = useQueryClient();
  const change = async (form: HTMLFormElement) => {
    const json = { role: formField(form, 'role') as Role };
    await request(api.users[':id'].$patch({ param: { id: user.id }, json }));
    await client.invalidateQueries({ queryKey: queryKeys.users });
    onClose();
    // one's own role decides what the pages show
    void client.invalidateQueries({ queryKey: queryKeys.me });
  };
  return (
    <FormDialog
      title={`Change the role of ${user.username}?`}
      act="Change role"
      onSubmit={change}
      onClose={onClose}
    >
      <RoleField initial={user.role} />
    </FormDialog>
  );
}

export function ResetPasswordDialog({ user, onClose }: Of) {
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
      act="Reset password"
      onSubmit={change}
      onClose={onClose}
    >
      <PasswordField
        label="New password"
        description={`${MIN_CHARACTERS} characters or more. All sessions of ${user.username} end.`}
      />
    </FormDialog>
  );
}

export function RemoveUserDialog({ user, onClose }: Of) {
  const client = useQueryClient();
  const isMe = useMe().id === user.id;
  return (
    <Confirm
      title={`Remove ${user.username}?`}
      act="Remove user"
      keep="Keep"
      onAct={async () => {
        await request(api.users[':id'].$delete({ param: { id: user.id } }));
        await client.invalidateQueries({ queryKey: queryKeys.users });
      }}
      onClose={onClose}
    >
      {isMe ? 'This is you: you are signed out at once.' : 'All their sessions end at once.'} What they did
      stays in the audit events.
      {user.source === 'oidc' && ' They can come back by single sign-on while the provider lets them.'}
    </Confirm>
  );
}
