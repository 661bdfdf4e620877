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

/** Reads the set-up code from the fragment of the address, which browsers never send, and removes it there. */
function readCodeFromAddress(): string {
  const code = decodeURIComponent(location.hash.slice(1));
  if (code !== '') history.replaceState(history.state, '', location.pathname);
  return code;
}
const codeFromLink = readCodeFromAddress();

export default function Setup() {
  const [code, setCode] = useState(codeFromLink);
  const navigate = useNavigate();
  const attempts = useAttempts();
  const { data: options } = useQuery({
    queryKey: ['sign-in-options'],
    queryFn: () => request(api.auth.options.$get()),
  });
  const submit = (form: HTMLFormElement) =>
    attempts.run(async () => {
      const json = { code, username: formField(form, 'username'), password: formField(form, 'password') };
      const me = await request(api.auth.setup.$post({ json }));
      queryClient.clear();
      queryClient.setQueryData(queryKeys.me, me);
      await navigate({ to: '/', replace: true });
    });
  if (options?.setup === false) return <SetupComplete />;
  const isCodeInvalid = attempts.error instanceof Problem && attempts.error.code === 'setup_code_invalid';
  return (
    <Frame title="Create the first administrator">
      {isCodeInvalid ? (
        <Alert color="bad" title="This link is no longer valid" mb="md" role="alert">
          A setup link works once, within 15 minutes. Restart Secu or run <code>secu setup-link</code> to get
          a new one.
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
        {(codeFromLink === '' || isCodeInvalid) && (
          <TextInput
            label="Setup code"
            description="The part after # in the link that Secu prints at startup"
            value={code}
            onChange={(event) => setCode(event.currentTarget.value)}
            autoComplete="off"
            required
            mb="sm"
          />
        )}
        <AccountFields />
        <SubmitButton attempts={attempts} action="Create and sign in" />
      </form>
    </Frame>
  );
}

function AccountFields() {
  return (
    <>
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
        description={`At least ${MIN_CHARACTERS} characters`}
        autoComplete="new-password"
        minLength={MIN_CHARACTERS}
        required
        mt="sm"
      />
    </>
  );
}

function SetupComplete() {
  return (
    <Frame title="Setup is complete">
      <Text size="sm">
        An administrator already exists.{' '}
        <Anchor component={Link} to="/sign-in">
          Sign in
        </Anchor>
      </Text>
    </Frame>
  );
}
