import { Button, NativeSelect, PasswordInput, TextInput } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { useNavigate } from '@tanstack/react-router';
import { useRef, useState } from 'react';
import { useHasRole } from '../../../api/session.ts';
import { ButtonLink } from '../../../parts/button-link.tsx';
import { LoadingRows } from '../../../parts/states.tsx';
import { DEFAULT_FILTERS, FilterFields } from '../shared/filter-fields.tsx';
import { RotationFields } from '../shared/rotation-fields.tsx';
import { CheckList } from './check-list.tsx';
import classes from './new-integration.module.css';
import { SaveFailed } from './save-failed.tsx';
import { TokenHelp, tokenLinkQuery } from './token-help.tsx';
import { useDryRun } from './use-dry-run.ts';
import { useSave } from './use-save.ts';

const DEFAULT_BASE_URL = 'https://gitlab.com';

/** Waits for the default base URL, so that the field does not change while the user types. */
export function NewIntegrationForm() {
  const link = useQuery(tokenLinkQuery({}));
  if (link.isPending) return <LoadingRows label="Loading the form" />;
  const defaultBaseUrl = link.data?.url.split('/-/')[0];
  return <Form defaultBaseUrl={defaultBaseUrl ?? DEFAULT_BASE_URL} />;
}

function Form({ defaultBaseUrl }: { defaultBaseUrl: string }) {
  const form = useRef<HTMLFormElement>(null);
  const [baseUrl, setBaseUrl] = useState(defaultBaseUrl);
  const dryRun = useDryRun(form);
  const navigate = useNavigate();
  const { save, isSaving, error, changed } = useSave(
    (id) => void navigate({ to: '/integrations/$id', params: { id } }),
  );
  const { state } = dryRun;
  const isNotUsable = state.phase === 'fault' || (state.phase === 'done' && state.run.verdict !== 'usable');
  return (
    <div className={classes['columns']}>
      <form
        ref={form}
        className={classes['form']}
        onChange={changed}
        onSubmit={(event) => {
          event.preventDefault();
          void save(event.currentTarget);
        }}
      >
        <ProviderFields />
        <TextInput
          name="baseUrl"
          type="url"
          label="Instance URL"
          defaultValue={defaultBaseUrl}
          required
          maxLength={200}
          spellCheck={false}
          onChange={dryRun.typed}
          onBlur={(event) => {
            setBaseUrl(event.currentTarget.value.trim());
            dryRun.left();
          }}
        />
        <TokenField dryRun={dryRun} />
        <TokenHelp baseUrl={baseUrl} />
        <TextInput
          name="name"
          label="Name"
          placeholder="Derived from the URL"
          description="Optional"
          maxLength={100}
        />
        <AdvancedFields onRotation={dryRun.pasted} />
        {error !== null && <SaveFailed error={error} />}
        <div className={classes['save']}>
          <Button type="submit" loading={isSaving}>
            {isNotUsable ? 'Save anyway' : 'Save'}
          </Button>
          <ButtonLink variant="default" to="/integrations">
            Cancel
          </ButtonLink>
        </div>
      </form>
      <CheckList state={state} onAgain={dryRun.again} />
    </div>
  );
}

function ProviderFields() {
  return (
    <div className={classes['pair']}>
      <NativeSelect size="xs" label="Provider" data={['GitLab']} />
      <NativeSelect size="xs" label="Type" data={['Git']} />
    </div>
  );
}

/** The token stays in this uncontrolled field and is read only for requests. */
function TokenField({ dryRun }: { dryRun: ReturnType<typeof useDryRun> }) {
  return (
    <PasswordInput
      name="token"
      label="Token"
      description="Required scopes: read_api, read_repository"
      required
      autoComplete="off"
      data-1p-ignore
      data-lpignore="true"
      onChange={({ nativeEvent }) => {
        const isPaste = 'inputType' in nativeEvent && nativeEvent.inputType === 'insertFromPaste';
        if (isPaste) dryRun.pasted();
        else dryRun.typed();
      }}
      onBlur={dryRun.left}
    />
  );
}

/** Optional settings, collapsed by default. */
function AdvancedFields({ onRotation }: { onRotation: () => void }) {
  const isAdmin = useHasRole('admin');
  return (
    <details className={classes['more']}>
      <summary>{isAdmin ? 'Filters and rotation' : 'Filters'}</summary>
      <div className={classes['advanced']}>
        <FilterFields filters={DEFAULT_FILTERS} />
        {isAdmin && <RotationFields enabled={false} daysBefore={14} onChange={onRotation} />}
      </div>
    </details>
  );
}
