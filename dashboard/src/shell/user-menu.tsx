import { lazy, Suspense, useState } from 'react';
import { UserButton } from './user-button.tsx';

const OpenedUserMenu = lazy(() => import('./opened-user-menu.tsx'));

/** Who is signed in. Its menu is fetched when it is first opened. */
export function UserMenu() {
  const [wanted, setWanted] = useState(false);
  const button = <UserButton aria-haspopup="menu" aria-expanded={false} onClick={() => setWanted(true)} />;
  return wanted ? (
    <Suspense fallback={button}>
      <OpenedUserMenu />
    </Suspense>
  ) : (
    button
  );
}
