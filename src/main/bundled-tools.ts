import type { ScannerName } from '../domain/scan.ts';
import { SCANNER_NAMES } from '../domain/scan.ts';
import type { Tool, ToolPaths, ToolState } from '../embedded/tools.ts';
import { listTools } from '../embedded/tools.ts';
import type { ScannerTools } from '../scanners/registry.ts';
import { findScannerTools, SCANNERS } from '../scanners/registry.ts';
import type { BundledTool } from './doctor/machine.ts';

type AnyTool = Omit<Tool, 'source'> & { source: Tool['source'] | 'npm' };

/** Scanners that come with the npm dependencies. */
export function bundledTools(): BundledTool[] {
  const tools = findScannerTools(new Map());
  return SCANNER_NAMES.filter((name) => SCANNERS[name].source === 'npm').map((name) => {
    const { purpose } = SCANNERS[name];
    return { name, purpose, version: tools[name]?.version ?? null, path: pathOf(name, tools[name]) };
  });
}

function pathOf<Name extends ScannerName>(name: Name, tool: ScannerTools[Name] | null): string | null {
  return tool === null ? null : SCANNERS[name].pathOf(tool);
}

/** All tools, from the manifest and from the npm dependencies, with their source. */
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
