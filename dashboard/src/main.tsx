import './theme/mantine-css.ts';
import 'virtual:theme.css';
import './theme/fonts.css';
import './theme/app.css';
import { MantineProvider } from '@mantine/core';
import { QueryClientProvider } from '@tanstack/react-query';
import { RouterProvider } from '@tanstack/react-router';
import { StrictMode } from 'react';
import { createRoot } from 'react-dom/client';
import { onSignedOut } from './api/api.ts';
import { queryClient } from './api/query-client.ts';
import { Toasts } from './parts/toasts.tsx';
import { router } from './router.tsx';
import { theme } from './theme/theme.ts';

const root = document.getElementById('page');
if (root === null) throw new Error('index.html has no #page');

onSignedOut(() => {
  const { pathname, href } = router.state.location;
  if (pathname === '/sign-in' || pathname === '/setup') return;
  queryClient.clear();
  void router.navigate({ to: '/sign-in', search: { next: href } });
});

// the content security policy forbids `<style>`, so the build writes variables and classes (`theme-css.ts`)
createRoot(root).render(
  <StrictMode>
    <MantineProvider
      theme={theme}
      defaultColorScheme="auto"
      withCssVariables={false}
      withGlobalClasses={false}
    >
      <QueryClientProvider client={queryClient}>
        <RouterProvider router={router} />
        <Toasts />
      </QueryClientProvider>
    </MantineProvider>
  </StrictMode>,
);
