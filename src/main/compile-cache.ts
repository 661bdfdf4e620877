import { fileURLToPath } from 'node:url';

/**
 * The folder of Node's compile cache. A process that finds all its modules there starts faster and does not load the
 * compiler that strips types, which takes 20 MiB. Changed files are compiled again. Without write access to the folder,
 * there is no cache.
 * @see https://nodejs.org/api/module.html#module-compile-cache
 */
export const COMPILE_CACHE = fileURLToPath(new URL('../../dist/compiled', import.meta.url));
