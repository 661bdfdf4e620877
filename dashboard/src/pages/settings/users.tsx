import { Badge, Button, Table, Text } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { useHasRole, useMe } from '../../api/session.ts';
import { Page } from '../../parts/page.tsx';
import { Empty, NotAllowed } from '../../parts/states.tsx';
import { TimeAgo } from '../../parts/time-ago.tsx';
import { Cell, ListTable } from './list-table.tsx';
import { RowMenu } from './row-menu.tsx';
import classes from './settings.module.css';
import type { User } from './users/data.ts';
import { USER_ROLES, usersQuery } from './users/data.ts';
import { NewUserDialog, RemoveUserDialog, ResetPasswordDialog, RoleDialog } from './users/dialogs.tsx';
import { userRestrictions } from './users/restrictions.ts';

const COLUMNS = ['Username', 'Role', 'Comes by', 'Made', 'Last sign-in', ''] as const;
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

type Act = 'role' | 'password' | 'remove';
const DIALOGS = { role: RoleDialog, password: ResetPasswordDialog, remove: RemoveUserDialog };

function Users() {
  const query = useQuery(usersQuery);
  const [creates, setCreates] = useState(false);
  const [open, setOpen] = useState<{ act: Act; user: User } | null>(null);
  const Dialog = open === null ? null : DIALOGS[open.act];
  return (
    <Page title="Users" actions={<Button onClick={() => setCreates(true)}>New user</Button>}>
      <ListTable
        query={query}
        label="Users"
        columns={COLUMNS}
        empty={<Empty title="There is nobody." />}
        row={(user) => (
          <UserRow key={user.id} user={user} all={query.data ?? []} onAct={(act) => setOpen({ act, user })} />
        )}
      />
      {creates && <NewUserDialog onClose={() => setCreates(false)} />}
      {open !== null && Dialog !== null && <Dialog user={open.user} onClose={() => setOpen(null)} />}
    </Page>
  );
}

function UserRow({ user, all, onAct }: { user: User; all: readonly User[]; onAct: (act: Act) => void }) {
  const me = useMe();
  const blocked = userRestrictions(user, all);
  const own = user.id === me.id;
  return (
    <Table.Tr>
      <Cell head="Username">
        <Text size="sm" fw={600} span>
          {user.username}
        </Text>{' '}
        {own && <Badge>You</Badge>}
      </Cell>
      <Cell head="Role">{USER_ROLES[user.role].text}</Cell>
      <Cell head="Comes by">{SOURCES[user.source]}</Cell>
      <Cell head="Made">
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
            acts={[
              { text: 'Change role', onClick: () => onAct('role'), blocked: blocked.role },
              {
                text: 'Reset password',
                onClick: () => onAct('password'),
                blocked: blocked.password ?? (own ? 'use Change password of your own menu' : null),
              },
              { text: 'Remove', onClick: () => onAct('remove'), blocked: blocked.remove, danger: true },
            ]}
          />
        </div>
      </Cell>
    </Table.Tr>
  );
}
