import type { Severity } from '../../../api/types.ts';

/** The fields of the channel form in the format of the API. */
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

/** An email channel has a recipient, every other channel a URL. */
export function toNewChannel(form: FormData) {
  const { kind, url, to, choices } = readChannelFields(form);
  return kind === 'email' ? { kind, to, ...choices } : { kind, url, ...choices };
}

/** An empty URL keeps the stored one. */
export function toChannelPatch(form: FormData) {
  const { url, to, enabled, choices } = readChannelFields(form);
  return { ...choices, enabled, ...(url === '' ? {} : { url }), ...(to === '' ? {} : { to }) };
}
