import { useQueryClient } from '@tanstack/react-query';
import { useRef, useState } from 'react';
import { api, ask, newIdempotencyKey } from '../../../api/api.ts';
import { Problem } from '../../../api/problem.ts';
import { keys } from '../../../api/query-keys.ts';
import { fieldOf } from '../../../parts/form-field.ts';
import { filtersOf } from '../shared/filter-fields.tsx';
import { rotationOf } from '../shared/rotation-fields.tsx';

/**
 * Saves a new integration from its form. A second press after a lost answer saves the same one again, not another:
 * the key is kept until something is `changed`. The field of the token is emptied once the server has it.
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
      const integration = await create(form, key.current);
      emptyToken(form);
      client.setQueryData(keys.integration(integration.id), integration);
      void client.invalidateQueries({ queryKey: keys.integrations });
      void client.invalidateQueries({ queryKey: keys.overview });
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

function create(form: HTMLFormElement, key: string) {
  const name = fieldOf(form, 'name').trim();
  const autoRotate = rotationOf(form);
  const json = {
    provider: 'gitlab' as const,
    type: 'git' as const,
    token: fieldOf(form, 'token'),
    baseUrl: fieldOf(form, 'baseUrl').trim(),
    filters: filtersOf(form),
    ...(name !== '' && { name }),
    ...(autoRotate.enabled && { autoRotate }),
  };
  return ask(api.integrations.$post({ json }, { headers: { 'Idempotency-Key': key } }));
}

function emptyToken(form: HTMLFormElement): void {
  const field = form.elements.namedItem('token');
  if (field instanceof HTMLInputElement) field.value = '';
}
