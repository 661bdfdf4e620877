import { Checkbox, Textarea } from '@mantine/core';
import { formField } from '../../../parts/form-field.ts';
import type { Integration } from '../data.ts';
import { parseLines } from '../new/dry-run-text.ts';
import classes from './filter-fields.module.css';

type Filters = Integration['filters'];

export const DEFAULT_FILTERS: Filters = {
  include: [],
  exclude: [],
  archived: false,
  forks: true,
  personal: true,
};

/** Filters for the repositories to scan. {@link readFilters} reads the fields. */
export function FilterFields({ filters, disabled = false }: { filters: Filters; disabled?: boolean }) {
  return (
    <div className={classes['fields']}>
      <Textarea
        size="xs"
        name="include"
        label="Include"
        description="One pattern per line, such as acme/**. Leave empty to include all."
        placeholder="acme/**"
        defaultValue={filters.include.join('\n')}
        rows={3}
        disabled={disabled}
        spellCheck={false}
      />
      <Textarea
        size="xs"
        name="exclude"
        label="Exclude"
        description="Takes precedence over Include. * and ? do not match slashes; ** does."
        placeholder="acme/sandbox/**"
        defaultValue={filters.exclude.join('\n')}
        rows={3}
        disabled={disabled}
        spellCheck={false}
      />
      <div className={classes['kinds']}>
        <Checkbox
          size="xs"
          name="archived"
          label="Archived repositories"
          defaultChecked={filters.archived}
          disabled={disabled}
        />
        <Checkbox size="xs" name="forks" label="Forks" defaultChecked={filters.forks} disabled={disabled} />
        <Checkbox
          size="xs"
          name="personal"
          label="Personal namespaces"
          defaultChecked={filters.personal}
          disabled={disabled}
        />
      </div>
    </div>
  );
}

export function readFilters(form: HTMLFormElement): Filters {
  return {
    include: parseLines(formField(form, 'include')),
    exclude: parseLines(formField(form, 'exclude')),
    archived: formField(form, 'archived') === 'on',
    forks: formField(form, 'forks') === 'on',
    personal: formField(form, 'personal') === 'on',
  };
}
