import { Anchor, Text } from '@mantine/core';
import { Link, Outlet } from '@tanstack/react-router';
import { Page } from '../parts/page.tsx';
import { Empty } from '../parts/states.tsx';
import { Help } from './help.tsx';
import { LiveProvider, StaleNotice } from './live-indicator.tsx';
import { Navigation } from './navigation.tsx';
import classes from './shell.module.css';

/** The frame of every page: skip link, navigation, live updates and content. */
export function Shell() {
  return (
    <LiveProvider>
      <a href="#content" className={classes['skip']}>
        Skip to content
      </a>
      <div className={classes['shell']}>
        <Navigation />
        <main id="content" tabIndex={-1} className={classes['main']}>
          <StaleNotice />
          <Outlet />
        </main>
      </div>
      <Help />
    </LiveProvider>
  );
}

export function NotFound() {
  return (
    <main className={classes['main']}>
      <Page title="Page not found">
        <Empty title="This page does not exist">
          <Text size="sm">
            <Anchor component={Link} to="/">
              Go to the overview
            </Anchor>
          </Text>
        </Empty>
      </Page>
    </main>
  );
}
