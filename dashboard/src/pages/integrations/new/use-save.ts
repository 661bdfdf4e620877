import { useQueryClient } from '@tanstack/react-query';
import { useRef, useState } from 'react';
import { api, newIdempotencyKey, request } from '../../../api/api.ts';
import { Problem } from '../../../api/problem.ts';
import { queryKeys } from '../../../api/query-keys.ts';
import { formField } from '../../../parts/form-field.ts';
import { readFilters } from '../shared/filter-fields.tsx';
import { readAutoRotate } from '../shared/rotation-fields.tsx';

/**
 * Saves a new integration. The idempotency key stays the same until the form is `changed`, so a retry after a lost
 * answer does not create a second integration. The token field is cleared once the server has the token.
 */
export function useSave(onSaved: (id: string) => void) {
  const client = useQueryClient();
  const [error, setError] = useState<unknown>(null);
  const [isSaving, setSaving] = useState(false);
  const key = useRef<string>(null);
  const save = async (form: HTMLFormElement) => {
    if (isSaving) return;
    setSaving(true);
    setError(null);
    key.current ??= newIdempotencyKey();
    try {
      const integration = await postIntegration(form, key.current);
      emptyToken(form);
      client.setQueryData(queryKeys.integration(integration.id), integration);
      void client.invalidateQueries({ queryKey: queryKeys.integrations });
      void client.invalidateQueries({ queryKey: queryKeys.overview });
      onSaved(integration.id);
    } catch (err) {
      if (err instanceof Problem && err.code === 'token_in_use') emptyToken(form);
      setError(err);
    } finally {
      setSaving(false);
    }
  };
  const changed = () => {
    key.current = null;
  };
  return { save, isSaving, error, changed };
}

function postIntegration(form: HTMLFormElement, key: string) {
  const name = formField(form, 'name').trim();
  const autoRotate = readAutoRotate(form);
  const json = {
    provider: 'gitlab' as const,
    type: 'git' as const,
    token: formField(form, 'token'),
    baseUrl: formField(form, 'baseUrl').trim(),
    filters: readFilters(form),
    ...(name !== '' && { name }),
    ...(autoRotate.enabled && { autoRotate }),
  };
  return request(api.integrations.$post({ json }, { headers: { 'Idempotency-Key': key } }));
}

function emptyToken(form: HTMLFormElement): void {
  const field = form.elements.namedItem('token');
  if (field instanceof HTMLInputElement) field.value = '';
}
