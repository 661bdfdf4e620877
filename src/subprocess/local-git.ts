import { fileURLToPath } from 'node:url';
import { SYSTEM_PATH } from './system-path.ts';

const GIT_CONFIG = fileURLToPath(new URL('git-config', import.meta.url));

/** The whole environment of a program that reads a clone: no network, and only our settings. */
export function localGitEnvironment(input: { gitDirectory: string; folder: string }): Record<string, string> {
  return {
    PATH: SYSTEM_PATH,
    HOME: '/nonexistent',
    TMPDIR: input.folder,
    LC_ALL: 'C',
    GIT_DIR: input.gitDirectory,
    GIT_CONFIG_GLOBAL: GIT_CONFIG,
    GIT_CONFIG_NOSYSTEM: '1',
    GIT_ATTR_NOSYSTEM: '1',
    GIT_TERMINAL_PROMPT: '0',
    GIT_NO_LAZY_FETCH: '1',
    GIT_NO_REPLACE_OBJECTS: '1',
    GIT_OPTIONAL_LOCKS: '0',
    GIT_ALLOW_PROTOCOL: 'none',
  };
}
