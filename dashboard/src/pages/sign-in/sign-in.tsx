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

/** Texts for the `failed` parameter that `/auth/oidc/callback` sets to an error code of the API. */
const SIGN_ON_ERRORS: Partial<Record<string, string>> = {
  forbidden: 'Your account has no role in Secu. Ask an administrator for access.',
  unauthenticated: 'The sign-in was started in another browser or took too long. Try again.',
  too_many_requests: 'Too many attempts. Try again in a minute.',
  sign_on_unavailable: 'The single sign-on provider is not responding. Try again later.',
};

export default function SignIn() {
  const { next, failed } = route.useSearch();
  const navigate = useNavigate();
  const attempts = useAttempts();
  const { data: options } = useQuery({
    queryKey: ['sign-in-options'],
    queryFn: () => request(api.auth.options.$get()),
  });
  const to = safeRedirectPath(next);
  const submit = (form: HTMLFormElement) =>
    attempts.run(async () => {
      const json = { username: formField(form, 'username'), password: formField(form, 'password') };
      const me = await request(api.auth['sign-in'].$post({ json }));
      queryClient.clear();
      queryClient.setQueryData(queryKeys.me, me);
      await navigate({ href: to, replace: true });
    });
  const isRejected = attempts.error instanceof Problem && attempts.error.status === 401;
  return (
    <Frame title="Sign in">
      {failed !== undefined && (
        <Alert color="bad" title="Single sign-on failed" mb="md" role="alert">
          {SIGN_ON_ERRORS[failed] ?? 'The provider refused the sign-in. Try again, or ask an administrator.'}
        </Alert>
      )}
      {isRejected ? (
        <Alert color="bad" title="Sign-in failed" mb="md" role="alert">
          Incorrect username or password.
        </Alert>
      ) : (
        attempts.error !== null && <ProblemPanel error={attempts.error} />
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
        <SubmitButton attempts={attempts} action="Sign in" />
      </form>
      {options?.singleSignOn === true && <SingleSignOn next={to} />}
      {options?.setup === true && <SetupHint />}
    </Frame>
  );
}

function SingleSignOn({ next }: { next: string }) {
  return (
    <>
      <Divider my="lg" label="or" />
      <Button
        component="a"
        variant="default"
        size="sm"
        fullWidth
        href={`/api/v1/auth/oidc/start?next=${encodeURIComponent(next)}`}
      >
        Sign in with single sign-on
      </Button>
    </>
  );
}

function SetupHint() {
  return (
    <Text size="sm" mt="lg">
      No administrator exists yet.{' '}
      <Anchor component={Link} to="/setup">
        Create the first administrator
      </Anchor>
    </Text>
  );
}
