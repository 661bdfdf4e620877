import { installTool, pathSettingOf } from '../tools/install.js';

/** Where a tool of the manifest lies; it is fetched or built when the launcher did not do so before. */
export async function toolPath(name: 'temporal' | 'gitleaks' | 'osv-scanner'): Promise<string> {
  const { path } = await installTool(name, { configuredPath: process.env[pathSettingOf(name)] });
  return path;
}
