import { lazy, Suspense, useState } from 'react';
import { UserButton } from './user-button.tsx';

const OpenedUserMenu = lazy(() => import('./opened-user-menu.tsx'));

/** The signed-in user. The menu is loaded when it is first opened. */
export function UserMenu() {
  const [isOpened, setOpened] = useState(false);
  const button = <UserButton aria-haspopup="menu" aria-expanded={false} onClick={() => setOpened(true)} />;
  return isOpened ? (
    <Suspense fallback={button}>
      <OpenedUserMenu />
    </Suspense>
  ) : (
    button
  );
}
