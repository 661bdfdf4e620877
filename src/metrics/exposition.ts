/** Metrics in the Prometheus text format 0.0.4, and labels to add to each sample. */
export interface Exposition {
  text: string;
  labels?: Readonly<Record<string, string>>;
}

interface Family {
  help: string | null;
  type: string | null;
  samples: string[];
}

const COMMENT = /^# (HELP|TYPE) (\S+)/;
const SAMPLE = /^([A-Za-z_:][\w:]*)(\{?)(.*)$/;

/**
 * Merges several texts: all samples of a metric follow one HELP and one TYPE line, as the format requires.
 * Other lines are left out.
 * @see https://prometheus.io/docs/instrumenting/exposition_formats/ "Comments, help text, and type information"
 */
export function mergeExpositions(parts: readonly Exposition[]): string {
  const families = new Map<string, Family>();
  for (const part of parts) addTo(families, part);
  const lines = [...families.values()].flatMap(({ help, type, samples }) => [
    ...(help === null ? [] : [help]),
    ...(type === null ? [] : [type]),
    ...samples,
  ]);
  return lines.length === 0 ? '' : `${lines.join('\n')}\n`;
}

function addTo(families: Map<string, Family>, { text, labels = {} }: Exposition): void {
  const added = Object.entries(labels)
    .map(([name, value]) => `${name}="${escaped(value)}"`)
    .join(',');
  let current = '';
  for (const line of text.split('\n')) {
    const [, kind, name = ''] = COMMENT.exec(line) ?? [];
    if (kind === undefined) {
      const sample = withLabels(line, added);
      if (sample === null) continue;
      // samples of a histogram have suffixes: they belong to the comment above them
      const named = sample.name.startsWith(current) && current !== '' ? current : sample.name;
      familyOf(families, named).samples.push(sample.line);
      continue;
    }
    current = name;
    const family = familyOf(families, name);
    if (kind === 'HELP') family.help ??= line;
    else family.type ??= line;
  }
}

function familyOf(families: Map<string, Family>, name: string): Family {
  const known = families.get(name);
  if (known !== undefined) return known;
  const family: Family = { help: null, type: null, samples: [] };
  families.set(name, family);
  return family;
}

function withLabels(line: string, added: string): { name: string; line: string } | null {
  const [, name, brace, rest = ''] = SAMPLE.exec(line) ?? [];
  if (name === undefined) return null;
  if (added === '') return { name, line };
  if (brace === '') return { name, line: `${name}{${added}}${rest}` };
  return { name, line: `${name}{${added}${rest.startsWith('}') ? '' : ','}${rest}` };
}

function escaped(value: string): string {
  return value.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n');
}
