import { Link, Outlet } from '@tanstack/react-router';
import { useHasRole } from '../../api/session.ts';
import classes from './settings.module.css';

const LINKS = [
  { to: '/settings/channels', text: 'Channels', admin: true },
  { to: '/settings/api-keys', text: 'API keys', admin: true },
  { to: '/settings/users', text: 'Users', admin: true },
  { to: '/settings/audit', text: 'Audit', admin: true },
  { to: '/settings/about', text: 'About', admin: false },
] as const;

/** Navigation of the settings; pages that the role may not open are hidden. */
export default function Settings() {
  const isAdmin = useHasRole('admin');
  return (
    <>
      <nav aria-label="Settings">
        <ul className={classes['links']}>
          {LINKS.filter(({ admin }) => isAdmin || !admin).map(({ to, text }) => (
            <li key={to}>
              <Link to={to} className={classes['link']}>
                {text}
              </Link>
            </li>
          ))}
        </ul>
      </nav>
      <Outlet />
    </>
  );
}
