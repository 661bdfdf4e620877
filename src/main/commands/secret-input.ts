import { readFileSync } from 'node:fs';
import { createInterface } from 'node:readline/promises';
import { Writable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { SecuError } from '../../domain/errors.ts';

/** Reads a token from a file, standard input, or a prompt without echo; never from an argument. */
export async function readSecret(input: { file: string | undefined; prompt: string }): Promise<string> {
  return requireNonEmpty((await readInput(input.file, input.prompt)).trim(), '--token-file');
}

/** Reads a new password the same way, twice at a prompt. Removes only the line end. */
export async function readNewPassword({ file }: { file: string | undefined }): Promise<string> {
  const password = requireNonEmpty(withoutLineEnd(await readInput(file, 'New password')), '--password-file');
  if (file !== undefined || !process.stdin.isTTY) return password;
  if (withoutLineEnd(await readInput(file, 'Repeat the password')) !== password)
    throw new SecuError('invalid_request', 'the passwords differ; nothing was changed');
  return password;
}

function withoutLineEnd(text: string): string {
  return text.replace(/\r?\n$/, '');
}

function requireNonEmpty(value: string, option: string): string {
  if (value === '')
    throw new SecuError('invalid_request', `the input is empty; use the prompt, standard input or ${option}`);
  return value;
}

async function readInput(file: string | undefined, prompt: string): Promise<string> {
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
