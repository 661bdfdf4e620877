import { installTool, pathSettingOf } from '../tools/install.js';

/** Path of a tool from the manifest; downloads or builds the tool if the launcher has not done so. */
export async function toolPath(name: 'temporal' | 'gitleaks' | 'osv-scanner'): Promise<string> {
  const { path } = await installTool(name, { configuredPath: process.env[pathSettingOf(name)] });
  return path;
}
