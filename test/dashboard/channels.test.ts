import { describe, expect, test } from '@jest/globals';
import { channelPatchOf, newChannelOf } from '../../dashboard/src/pages/settings/channels/form-data.ts';
import { TOLD, TOLD_BY_DEFAULT, toldInShort } from '../../dashboard/src/pages/settings/channels/labels.ts';
import { DEFAULT_CHANNEL_EVENTS as API_DEFAULT, CHANNEL_EVENT_KINDS } from '../../src/domain/channel.ts';

function form(fields: Record<string, string | string[]>): FormData {
  const data = new FormData();
  for (const [name, values] of Object.entries(fields))
    for (const value of [values].flat()) data.append(name, value);
  return data;
}

describe('what a channel is told of', () => {
  test('is offered as the API takes it, with its own default', () => {
    expect(Object.keys(TOLD).sort()).toEqual([...CHANNEL_EVENT_KINDS].sort());
    expect([...TOLD_BY_DEFAULT].sort()).toEqual([...API_DEFAULT].sort());
  });

  test('is said in short', () => {
    expect(toldInShort([...API_DEFAULT])).toBe('What needs a person');
    expect(toldInShort([...CHANNEL_EVENT_KINDS])).toBe('All kinds');
    expect(toldInShort(['scan.failed', 'finding.opened', 'finding.fixed'])).toBe('scan 1, finding 2');
  });
});

describe('the form of a channel', () => {
  test('gives a webhook its address, and a mail its recipient', () => {
    const hook = form({
      kind: 'webhook',
      name: 'hook',
      url: ' https://a.example/x ',
      events: ['scan.failed'],
    });
    expect(newChannelOf(hook)).toEqual({
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
    expect(newChannelOf(mail)).toMatchObject({
      kind: 'email',
      to: 'a@b.example',
      minSeverity: 'high',
      integrationIds: ['int_1'],
    });
  });

  test('keeps the sealed address when none is given, and an unchecked switch is off', () => {
    const patch = channelPatchOf(form({ name: 'hook', url: '', events: ['scan.failed'] }));
    expect(patch).not.toHaveProperty('url');
    expect(patch).toMatchObject({ enabled: false, integrationIds: null });
    expect(channelPatchOf(form({ name: 'hook', url: 'https://b.example', enabled: 'on' }))).toMatchObject({
      enabled: true,
      url: 'https://b.example',
    });
  });
});
