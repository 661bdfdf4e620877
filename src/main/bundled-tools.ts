import type { Tool, ToolPaths, ToolState } from '../embedded/tools.ts';
import { listTools } from '../embedded/tools.ts';
import { findAstGrep } from '../scanners/ast-grep/find.ts';
import type { BundledTool } from './doctor/machine.ts';

type AnyTool = Omit<Tool, 'source'> & { source: Tool['source'] | 'npm' };

/** Tools that come with the dependencies. */
export function bundledTools(): BundledTool[] {
  const astGrep = findAstGrep();
  return [
    {
      name: 'ast-grep',
      purpose: 'finds flaws in code and pipelines',
      version: astGrep?.version ?? null,
      path: astGrep?.bindingPath ?? null,
    },
  ];
}

/** Every tool, of the manifest and of the dependencies, and where it comes from. */
export async function listAllTools(input: {
  paths: ToolPaths;
}): Promise<(Omit<ToolState, 'tool'> & { tool: AnyTool | null })[]> {
  const bundled = bundledTools().map(({ name, purpose, version, path }) => ({
    name,
    purpose,
    optional: false,
    tool:
      version === null || path === null
        ? null
        : { name, version, path, source: 'npm' as const, status: 'ok' as const },
    problem: null,
  }));
  return [...(await listTools(input)), ...bundled];
}
