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

const page = document.getElementById('page');
if (page === null) throw new Error('index.html has no #page');

onSignedOut(() => {
  const { pathname, href } = router.state.location;
  if (pathname === '/sign-in' || pathname === '/setup') return;
  queryClient.clear();
  void router.navigate({ to: '/sign-in', search: { next: href } });
});

// no variables and no classes at run time: the policy of the page forbids `<style>`; `theme-css.ts` made them
createRoot(page).render(
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
