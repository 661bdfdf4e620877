import { fileURLToPath } from 'node:url';

/**
 * Where Node keeps what it made of our modules, beside the workflows' bundle. A process that finds all of its own there
 * does not load the compiler that takes types away, which would stay in its memory with 20 MiB, and starts sooner; a file
 * that has changed is made anew. Where the folder is not ours to write, it does without.
 * @see https://nodejs.org/api/module.html#module-compile-cache
 */
export const COMPILE_CACHE = fileURLToPath(new URL('../../dist/compiled', import.meta.url));
