import type { Tool } from '../../tools/install.js';
import { findTool, installTool, readManifest } from '../../tools/install.js';
import { SecuError } from '../domain/errors.ts';
import type { PrintLine } from './print-line.ts';
import { messageOf } from './print-line.ts';

export type { Tool };

/** Paths that the operator configured, by tool name. */
export type ToolPaths = Readonly<Record<string, string | undefined>>;

export interface ToolState {
  readonly name: string;
  readonly purpose: string;
  /** Installed only on request. */
  readonly optional: boolean;
  /** Null if it is not installed. */
  readonly tool: Tool | null;
  /** Why the configured tool cannot be used. */
  readonly problem: string | null;
}

/**
 * Returns the tool; downloads or builds it if it is missing.
 * @throws SecuError `tool_unavailable` naming each source tried and what to do
 */
export async function requireTool(
  name: string,
  { paths, printLine, env }: { paths: ToolPaths; printLine: PrintLine; env?: NodeJS.ProcessEnv },
): Promise<Tool> {
  try {
    return await installTool(name, { configuredPath: paths[name], log: printLine, env });
  } catch (err) {
    throw new SecuError('tool_unavailable', messageOf(err), { cause: err });
  }
}

/** Every tool of the manifest and its source. Downloads nothing. */
export async function listTools({
  paths,
  env,
}: {
  paths: ToolPaths;
  env?: NodeJS.ProcessEnv;
}): Promise<ToolState[]> {
  return Promise.all(
    Object.entries(readManifest()).map(async ([name, recipe]) => {
      const about = { name, purpose: recipe.purpose, optional: !recipe.default };
      try {
        return { ...about, tool: await findTool(name, { configuredPath: paths[name], env }), problem: null };
      } catch (err) {
        return { ...about, tool: null, problem: messageOf(err) };
      }
    }),
  );
}
