import {
  IconGauge,
  IconGitBranch,
  IconPlugConnected,
  IconSettings,
  IconShieldCheck,
  IconShieldSearch,
} from '@tabler/icons-react';
import { Link } from '@tanstack/react-router';
import { LiveIndicator } from './live-indicator.tsx';
import { Palette } from './palette.tsx';
import classes from './shell.module.css';
import { UserMenu } from './user-menu.tsx';

const LINKS = [
  { to: '/', text: 'Overview', icon: IconGauge, exact: true },
  { to: '/integrations', text: 'Integrations', icon: IconPlugConnected, exact: false },
  { to: '/repositories', text: 'Repositories', icon: IconGitBranch, exact: false },
  { to: '/findings', text: 'Findings', icon: IconShieldSearch, exact: false },
  { to: '/settings', text: 'Settings', icon: IconSettings, exact: false },
] as const;

export function Navigation() {
  return (
    <nav className={classes['nav']} aria-label="Main">
      <span className={classes['brand']}>
        <IconShieldCheck size={20} aria-hidden="true" />
        Secu
      </span>
      <Palette />
      <ul className={classes['links']}>
        {LINKS.map(({ to, text, icon: Icon, exact }) => (
          <li key={to}>
            <Link to={to} className={classes['link']} activeOptions={{ exact, includeSearch: false }}>
              <Icon size={16} aria-hidden="true" />
              {text}
            </Link>
          </li>
        ))}
      </ul>
      <div className={classes['foot']}>
        <LiveIndicator />
        <UserMenu />
      </div>
    </nav>
  );
}
