import { describe, expect, test } from '@jest/globals';
import { toChannelPatch, toNewChannel } from '../../dashboard/src/pages/settings/channels/form-data.ts';
import {
  CHANNEL_EVENT_TEXTS,
  DEFAULT_CHANNEL_EVENTS,
  summarizeEvents,
} from '../../dashboard/src/pages/settings/channels/labels.ts';
import { DEFAULT_CHANNEL_EVENTS as API_DEFAULT, CHANNEL_EVENT_KINDS } from '../../src/domain/channel.ts';

function form(fields: Record<string, string | string[]>): FormData {
  const data = new FormData();
  for (const [name, values] of Object.entries(fields))
    for (const value of [values].flat()) data.append(name, value);
  return data;
}

describe('the events of a channel', () => {
  test('are those that the API accepts, with the same default', () => {
    expect(Object.keys(CHANNEL_EVENT_TEXTS).sort()).toEqual([...CHANNEL_EVENT_KINDS].sort());
    expect([...DEFAULT_CHANNEL_EVENTS].sort()).toEqual([...API_DEFAULT].sort());
  });

  test('are summarized in a few words', () => {
    expect(summarizeEvents([...API_DEFAULT])).toBe('Action required');
    expect(summarizeEvents([...CHANNEL_EVENT_KINDS])).toBe('All events');
    expect(summarizeEvents(['scan.failed', 'finding.opened', 'finding.fixed'])).toBe('scan 1, finding 2');
  });
});

describe('the form of a channel', () => {
  test('sends a URL for a webhook and a recipient for an email channel', () => {
    const hook = form({
      kind: 'webhook',
      name: 'hook',
      url: ' https://a.example/x ',
      events: ['scan.failed'],
    });
    expect(toNewChannel(hook)).toEqual({
      kind: 'webhook',
      name: 'hook',
      url: 'https://a.example/x',
      events: ['scan.failed'],
      integrationIds: null,
      minSeverity: null,
    });
    const mail = form({
      kind: 'email',
      name: 'mail',
      to: 'a@b.example',
      minSeverity: 'high',
      integrationIds: ['int_1'],
    });
    expect(toNewChannel(mail)).toMatchObject({
      kind: 'email',
      to: 'a@b.example',
      minSeverity: 'high',
      integrationIds: ['int_1'],
    });
  });

  test('omits an empty URL, and sends an unchecked switch as false', () => {
    const patch = toChannelPatch(form({ name: 'hook', url: '', events: ['scan.failed'] }));
    expect(patch).not.toHaveProperty('url');
    expect(patch).toMatchObject({ enabled: false, integrationIds: null });
    expect(toChannelPatch(form({ name: 'hook', url: 'https://b.example', enabled: 'on' }))).toMatchObject({
      enabled: true,
      url: 'https://b.example',
    });
  });
});
