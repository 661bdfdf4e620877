import { readFileSync } from 'node:fs';
import { createInterface } from 'node:readline/promises';
import { Writable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { SecuError } from '../../domain/errors.ts';

/** A token or password: from a file, standard input, or a prompt that shows nothing; never an argument. */
export async function readSecret({
  file,
  prompt,
}: {
  file: string | undefined;
  prompt: string;
}): Promise<string> {
  const value = (await read(file, prompt)).trim();
  if (value === '')
    throw new SecuError('invalid_request', 'it is empty; give it by prompt, standard input or --token-file');
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
