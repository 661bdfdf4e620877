import { Alert, Anchor, Button, Divider, PasswordInput, Text, TextInput } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { getRouteApi, Link, useNavigate } from '@tanstack/react-router';
import { api, request } from '../../api/api.ts';
import { Problem } from '../../api/problem.ts';
import { queryClient } from '../../api/query-client.ts';
import { queryKeys } from '../../api/query-keys.ts';
import { safeRedirectPath } from '../../lists/search-params.ts';
import { formField } from '../../parts/form-field.ts';
import { ProblemPanel } from '../../parts/problem-panel.tsx';
import { Frame } from './frame.tsx';
import { SubmitButton } from './submit-button.tsx';
import { useAttempts } from './use-attempts.ts';

const route = getRouteApi('/sign-in');

/** Why single sign-on did not end in a session: what `/auth/oidc/callback` says in `failed`. */
const FAILED: Record<string, string> = {
  forbidden: 'Your account there has no role here. An administrator of Secu can give it one.',
  unauthenticated: 'That sign-in was not begun in this browser, or it took too long. Try once more.',
  too_many_requests: 'Too many tries. Wait a minute.',
  sign_on_unavailable: 'The provider of single sign-on does not answer. Try again later.',
};

export default function SignIn() {
  const { next, failed } = route.useSearch();
  const navigate = useNavigate();
  const tries = useAttempts();
  const { data: options } = useQuery({
    queryKey: ['sign-in-options'],
    queryFn: () => request(api.auth.options.$get()),
  });
  const to = safeRedirectPath(next);
  const submit = (form: HTMLFormElement) =>
    tries.attempt(async () => {
      const json = { username: formField(form, 'username'), password: formField(form, 'password') };
      const me = await request(api.auth['sign-in'].$post({ json }));
      queryClient.clear();
      queryClient.setQueryData(queryKeys.me, me);
      await navigate({ href: to, replace: true });
    });
  const wrong = tries.error instanceof Problem && tries.error.status === 401;
  return (
    <Frame title="Sign in">
      {failed !== undefined && (
        <Alert color="bad" title="Single sign-on failed" mb="md" role="alert">
          {FAILED[failed] ?? 'The provider did not let you in. Try again, or ask an administrator.'}
        </Alert>
      )}
      {wrong ? (
        <Alert color="bad" title="Not signed in" mb="md" role="alert">
          Username or password is wrong.
        </Alert>
      ) : (
        tries.error !== null && <ProblemPanel error={tries.error} />
      )}
      <form
        onSubmit={(event) => {
          event.preventDefault();
          void submit(event.currentTarget);
        }}
      >
        <TextInput
          name="username"
          label="Username"
          autoComplete="username"
          autoCapitalize="none"
          required
          autoFocus
        />
        <PasswordInput name="password" label="Password" autoComplete="current-password" required mt="sm" />
        <SubmitButton tries={tries} act="Sign in" />
      </form>
      {options?.singleSignOn === true && (
        <>
          <Divider my="lg" label="or" />
          <Button
            component="a"
            variant="default"
            size="sm"
            fullWidth
            href={`/api/v1/auth/oidc/start?next=${encodeURIComponent(to)}`}
          >
            Single sign-on
          </Button>
        </>
      )}
      {options?.setup === true && (
        <Text size="sm" mt="lg">
          There is no administrator yet.{' '}
          <Anchor component={Link} to="/setup">
            Set up the first one
          </Anchor>
        </Text>
      )}
    </Frame>
  );
}
