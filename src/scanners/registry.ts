import type { Limiter } from '../concurrency/limiter.ts';
import { SecuError } from '../domain/errors.ts';
import type { ScannerName } from '../domain/scan.ts';
import { SCANNER_NAMES } from '../domain/scan.ts';
import type { Sandbox } from '../subprocess/sandbox.ts';
import type { AstGrepTool } from './ast-grep/ast-grep.ts';
import { createAstGrep } from './ast-grep/ast-grep.ts';
import { hasCode } from './ast-grep/code-files.ts';
import { findAstGrep } from './ast-grep/find.ts';
import { createGitleaks } from './gitleaks/gitleaks.ts';
import { writeRules } from './gitleaks/rules.ts';
import type { Scanner } from './scanner.ts';
import type { Snapshot } from './snapshot.ts';

/** The program of each scanner, as plain data, because it is sent to the process that runs scanners. */
export interface ScannerTools {
  gitleaks: InstalledTool;
  'ast-grep': AstGrepTool;
}

export interface InstalledTool {
  path: string;
  version: string;
}

/** Options shared by all scanners of an installation. */
export interface ScannerContext {
  sandbox: Sandbox;
  /** For each program that reads files. */
  limiter: Limiter;
  /** For runs over several small repositories together. */
  smallSnapshotLimiter: Limiter;
  workFolder: string;
  blobMaxBytes: number;
  maxFindings: number;
}

interface ScannerEntry<Tool extends { version: string }> {
  /** Its purpose, for `secu doctor`. */
  purpose: string;
  /** `manifest`: installed by `secu tools install`. `npm`: comes with the dependencies. */
  source: 'manifest' | 'npm';
  find: (manifest: ReadonlyMap<string, InstalledTool>) => Tool | null;
  /** The program file, for `secu doctor`. */
  pathOf: (tool: Tool) => string;
  appliesTo: (snapshot: Snapshot) => boolean;
  create: (tool: Tool, context: ScannerContext) => Scanner;
}

/**
 * Every scanner. To add one: its name in `src/domain/scan.ts`, its entry here and its folder beside this file.
 */
export const SCANNERS: { readonly [Name in ScannerName]: ScannerEntry<ScannerTools[Name]> } = {
  gitleaks: {
    purpose: 'finds secrets in repositories',
    source: 'manifest',
    find: (manifest) => manifest.get('gitleaks') ?? null,
    pathOf: ({ path }) => path,
    appliesTo: () => true,
    create: (tool, context) =>
      createGitleaks({
        ...tool,
        ...context,
        rulesFile: writeRules(context.workFolder),
        maxLeaks: context.maxFindings,
      }),
  },
  'ast-grep': {
    purpose: 'finds flaws in code and pipelines',
    source: 'npm',
    find: findAstGrep,
    pathOf: ({ bindingPath }) => bindingPath,
    appliesTo: hasCode,
    create: (tool, context) => createAstGrep({ ...tool, ...context }),
  },
};

/** A tool, `null` if it is not installed, or `left_out` for a scanner that is switched off. */
export type ToolChoice = { [Name in ScannerName]: ScannerTools[Name] | null | 'left_out' };

/** The scanners that are switched on; a scanner that is not installed reports `unavailable`. */
export function createEachScanner(tools: ToolChoice, context: ScannerContext): Scanner[] {
  return SCANNER_NAMES.flatMap((name) => createScanner(name, tools[name], context));
}

function createScanner<Name extends ScannerName>(
  name: Name,
  tool: ScannerTools[Name] | null | 'left_out',
  context: ScannerContext,
): Scanner[] {
  if (tool === 'left_out') return [];
  const { appliesTo, create } = SCANNERS[name];
  return [tool === null ? unavailable(name, appliesTo) : create(tool, context)];
}

/** The program of each scanner on this machine. */
export function findScannerTools(manifest: ReadonlyMap<string, InstalledTool>): {
  [Name in ScannerName]: ScannerTools[Name] | null;
} {
  return { gitleaks: SCANNERS.gitleaks.find(manifest), 'ast-grep': SCANNERS['ast-grep'].find(manifest) };
}

function unavailable(name: ScannerName, applies: Scanner['applies']): Scanner {
  return {
    name,
    version: null,
    rules: null,
    ruleIds: [],
    applies,
    scopeOf: () => new Set(),
    scan: () => Promise.reject(new SecuError('tool_unavailable', `${name} is not installed on this machine`)),
  };
}
