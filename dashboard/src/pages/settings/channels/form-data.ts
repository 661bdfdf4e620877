import type { Severity } from '../../../format/labels.ts';

/** What the fields of a channel say, as the API takes it. */
export function readChannelFields(form: FormData) {
  const texts = (name: string) => form.getAll(name).filter((value) => typeof value === 'string');
  const text = (name: string) => texts(name)[0] ?? '';
  const events = texts('events');
  const integrationIds = texts('integrationIds');
  const minSeverity = text('minSeverity');
  return {
    kind: text('kind'),
    url: text('url').trim(),
    to: text('to').trim(),
    enabled: text('enabled') !== '',
    choices: {
      name: text('name'),
      events,
      integrationIds: integrationIds.length === 0 ? null : integrationIds,
      minSeverity: minSeverity === '' ? null : (minSeverity as Severity),
    },
  };
}

/** A channel of mail has a recipient, every other an address. */
export function toNewChannel(form: FormData) {
  const { kind, url, to, choices } = readChannelFields(form);
  return kind === 'email' ? { kind, to, ...choices } : { kind, url, ...choices };
}

/** An address that was left empty stays as it is. */
export function toChannelPatch(form: FormData) {
  const { url, to, enabled, choices } = readChannelFields(form);
  return { ...choices, enabled, ...(url === '' ? {} : { url }), ...(to === '' ? {} : { to }) };
}
