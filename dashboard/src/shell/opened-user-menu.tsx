import { Menu, useMantineColorScheme } from '@mantine/core';
import { useNavigate } from '@tanstack/react-router';
import { lazy, Suspense, useState } from 'react';
import { api, request } from '../api/api.ts';
import { queryClient } from '../api/query-client.ts';
import { useMe } from '../api/session.ts';
import { showErrorToast } from '../parts/toast.ts';
import { UserButton } from './user-button.tsx';

const PasswordDialog = lazy(() => import('./password-dialog.tsx'));

const SCHEMES = [
  ['light', 'Light'],
  ['dark', 'Dark'],
  ['auto', 'System'],
] as const;

/** Theme, password and sign-out; opens as soon as it is loaded. */
export default function OpenedUserMenu() {
  const me = useMe();
  const navigate = useNavigate();
  const { colorScheme, setColorScheme } = useMantineColorScheme({ keepTransitions: true });
  const [isPasswordOpen, setPasswordOpen] = useState(false);
  const signOut = async (everywhere: boolean) => {
    try {
      await request(api.auth['sign-out'].$post({ json: { everywhere } }));
    } catch (err) {
      return showErrorToast(err);
    }
    queryClient.clear();
    await navigate({ to: '/sign-in', search: {} });
  };
  return (
    <>
      <Menu position="top-start" defaultOpened>
        <Menu.Target>
          <UserButton />
        </Menu.Target>
        <Menu.Dropdown>
          <Menu.Label>Role: {me.role}</Menu.Label>
          {me.source === 'local' && (
            <Menu.Item onClick={() => setPasswordOpen(true)}>Change password</Menu.Item>
          )}
          <Menu.Divider />
          <Menu.Label>Theme</Menu.Label>
          {SCHEMES.map(([value, text]) => (
            <Menu.Item
              key={value}
              onClick={() => setColorScheme(value)}
              aria-current={colorScheme === value ? 'true' : undefined}
            >
              {text}
              {colorScheme === value && ' ✓'}
            </Menu.Item>
          ))}
          <Menu.Divider />
          <Menu.Item onClick={() => void signOut(false)}>Sign out</Menu.Item>
          <Menu.Item onClick={() => void signOut(true)}>Sign out everywhere</Menu.Item>
        </Menu.Dropdown>
      </Menu>
      <Suspense>{isPasswordOpen && <PasswordDialog onClose={() => setPasswordOpen(false)} />}</Suspense>
    </>
  );
}
