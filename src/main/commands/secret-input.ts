import { readFileSync } from 'node:fs';
import { createInterface } from 'node:readline/promises';
import { Writable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { SecuError } from '../../domain/errors.ts';

/** A token: from a file, standard input, or a prompt that shows nothing; never an argument. */
export async function readSecret(input: { file: string | undefined; prompt: string }): Promise<string> {
  return given((await read(input.file, input.prompt)).trim(), '--token-file');
}

/** A new password, from the same places; at a prompt it is asked for twice. Only the end of its line is taken off. */
export async function readNewPassword({ file }: { file: string | undefined }): Promise<string> {
  const password = given(withoutLineEnd(await read(file, 'New password')), '--password-file');
  if (file !== undefined || !process.stdin.isTTY) return password;
  if (withoutLineEnd(await read(file, 'The same again')) !== password)
    throw new SecuError('invalid_request', 'the two passwords differ; nothing was changed');
  return password;
}

function withoutLineEnd(text: string): string {
  return text.replace(/\r?\n$/, '');
}

function given(value: string, option: string): string {
  if (value === '')
    throw new SecuError('invalid_request', `it is empty; give it by prompt, standard input or ${option}`);
  return value;
}

async function read(file: string | undefined, prompt: string): Promise<string> {
  if (file !== undefined) return readFileSync(file, 'utf8');
  if (!process.stdin.isTTY) return text(process.stdin);
  const silent = new Writable({ write: (_chunk, _encoding, done) => done() });
  process.stderr.write(`${prompt}: `);
  const input = createInterface({ input: process.stdin, output: silent, terminal: true });
  try {
    return await input.question('');
  } finally {
    input.close();
    process.stderr.write('\n');
  }
}
