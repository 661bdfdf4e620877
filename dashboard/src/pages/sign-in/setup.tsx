import { Alert, Anchor, PasswordInput, Text, TextInput } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { Link, useNavigate } from '@tanstack/react-router';
import { useState } from 'react';
import { api, request } from '../../api/api.ts';
import { Problem } from '../../api/problem.ts';
import { queryClient } from '../../api/query-client.ts';
import { queryKeys } from '../../api/query-keys.ts';
import { formField } from '../../parts/form-field.ts';
import { ProblemPanel } from '../../parts/problem-panel.tsx';
import { Frame } from './frame.tsx';
import { SubmitButton } from './submit-button.tsx';
import { useAttempts } from './use-attempts.ts';

const MIN_CHARACTERS = 12;

/** The code of the printed link. It stands behind `#`, which browsers do not send, and leaves the address at once. */
function readCodeFromAddress(): string {
  const code = decodeURIComponent(location.hash.slice(1));
  if (code !== '') history.replaceState(history.state, '', location.pathname);
  return code;
}
const codeFromLink = readCodeFromAddress();

export default function Setup() {
  const [code, setCode] = useState(codeFromLink);
  const navigate = useNavigate();
  const tries = useAttempts();
  const { data: options } = useQuery({
    queryKey: ['sign-in-options'],
    queryFn: () => request(api.auth.options.$get()),
  });
  const submit = (form: HTMLFormElement) =>
    tries.attempt(async () => {
      const json = { code, username: formField(form, 'username'), password: formField(form, 'password') };
      const me = await request(api.auth.setup.$post({ json }));
      queryClient.clear();
      queryClient.setQueryData(queryKeys.me, me);
      await navigate({ to: '/', replace: true });
    });
  const done = options?.setup === false;
  if (done)
    return (
      <Frame title="Set up is done">
        <Text size="sm">
          There is an administrator already.{' '}
          <Anchor component={Link} to="/sign-in">
            Sign in
          </Anchor>
        </Text>
      </Frame>
    );
  const badCode = tries.error instanceof Problem && tries.error.code === 'setup_code_invalid';
  return (
    <Frame title="Set up the first administrator">
      {badCode ? (
        <Alert color="bad" title="This link is no longer valid" mb="md" role="alert">
          It works once and for 15 minutes. Restart Secu, or run <code>secu setup-link</code>, to get a new
          one.
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
        {(codeFromLink === '' || badCode) && (
          <TextInput
            label="Set-up code"
            description="The part behind # of the link that Secu prints at its start"
            value={code}
            onChange={(event) => setCode(event.currentTarget.value)}
            autoComplete="off"
            required
            mb="sm"
          />
        )}
        <TextInput
          name="username"
          label="Username"
          defaultValue="admin"
          autoComplete="username"
          autoCapitalize="none"
          required
          autoFocus
        />
        <PasswordInput
          name="password"
          label="Password"
          description={`${MIN_CHARACTERS} characters or more`}
          autoComplete="new-password"
          minLength={MIN_CHARACTERS}
          required
          mt="sm"
        />
        <SubmitButton tries={tries} act="Create and sign in" />
      </form>
    </Frame>
  );
}
