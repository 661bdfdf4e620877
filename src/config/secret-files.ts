import type { Environment } from './environment.ts';
import { aboutSetting, SETTING_NAMES } from './settings.ts';

/** The files that hold the secret settings. */
export function secretFilesOf(env: Environment): string[] {
  const names = SETTING_NAMES.filter((name) => aboutSetting(name).secret === true);
  const files = [...names.map((name) => env[`${name}_FILE`]), env['TEMPORAL_TLS_CLIENT_KEY_PATH']];
  return files.flatMap((file) => (file === undefined || file === '' ? [] : [file]));
}
