import { Badge, Button, Table, Text } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import type { ComponentType } from 'react';
import { useState } from 'react';
import { useHasRole, useMe } from '../../api/session.ts';
import { Page } from '../../parts/page.tsx';
import { Empty, NotAllowed } from '../../parts/states.tsx';
import { TimeAgo } from '../../parts/time-ago.tsx';
import { Cell, ListTable } from './list-table.tsx';
import { ROLE_TEXTS } from './roles.ts';
import { RowMenu } from './row-menu.tsx';
import classes from './settings.module.css';
import type { User } from './users/data.ts';
import { usersQuery } from './users/data.ts';
import type { UserDialogProps } from './users/dialogs.tsx';
import { NewUserDialog, RemoveUserDialog, ResetPasswordDialog, RoleDialog } from './users/dialogs.tsx';
import { userRestrictions } from './users/restrictions.ts';

const COLUMNS = ['Username', 'Role', 'Source', 'Created', 'Last sign-in', ''] as const;
const SOURCES: Record<User['source'], string> = { local: 'Password', oidc: 'Single sign-on' };

export default function UsersPage() {
  if (!useHasRole('admin'))
    return (
      <Page title="Users">
        <NotAllowed roles="Administrators" />
      </Page>
    );
  return <Users />;
}

type UserAction = 'role' | 'password' | 'remove';
const DIALOGS: Record<UserAction, ComponentType<UserDialogProps>> = {
  role: RoleDialog,
  password: ResetPasswordDialog,
  remove: RemoveUserDialog,
};

function Users() {
  const query = useQuery(usersQuery);
  const [isCreating, setCreating] = useState(false);
  const [open, setOpen] = useState<{ action: UserAction; user: User } | null>(null);
  const Dialog = open === null ? null : DIALOGS[open.action];
  return (
    <Page title="Users" actions={<Button onClick={() => setCreating(true)}>New user</Button>}>
      <ListTable
        query={query}
        label="Users"
        columns={COLUMNS}
        empty={<Empty title="No users yet" />}
        row={(user) => (
          <UserRow
            key={user.id}
            user={user}
            all={query.data ?? []}
            onAction={(action) => setOpen({ action, user })}
          />
        )}
      />
      {isCreating && <NewUserDialog onClose={() => setCreating(false)} />}
      {open !== null && Dialog !== null && <Dialog user={open.user} onClose={() => setOpen(null)} />}
    </Page>
  );
}

function UserRow({
  user,
  all,
  onAction,
}: {
  user: User;
  all: readonly User[];
  onAction: (action: UserAction) => void;
}) {
  const me = useMe();
  const restrictions = userRestrictions(user, all);
  const isMe = user.id === me.id;
  return (
    <Table.Tr>
      <Cell head="Username">
        <Text size="sm" fw={600} span>
          {user.username}
        </Text>{' '}
        {isMe && <Badge>You</Badge>}
      </Cell>
      <Cell head="Role">{ROLE_TEXTS[user.role].text}</Cell>
      <Cell head="Source">{SOURCES[user.source]}</Cell>
      <Cell head="Created">
        <TimeAgo at={user.createdAt} />
      </Cell>
      <Cell head="Last sign-in">
        {user.lastSignInAt === null ? (
          <span className={classes['meta']}>Never</span>
        ) : (
          <TimeAgo at={user.lastSignInAt} />
        )}
      </Cell>
      <Cell head="">
        <div className={classes['buttons']}>
          <RowMenu
            label={`Change ${user.username}`}
            actions={[
              { text: 'Change role', onClick: () => onAction('role'), blocked: restrictions.role },
              {
                text: 'Reset password',
                onClick: () => onAction('password'),
                blocked: restrictions.password ?? (isMe ? 'use Change password in the user menu' : null),
              },
              {
                text: 'Remove',
                onClick: () => onAction('remove'),
                blocked: restrictions.remove,
                danger: true,
              },
            ]}
          />
        </div>
      </Cell>
    </Table.Tr>
  );
}
