/** URL of a workflow in Temporal's UI; `null` where there is none. */
export function temporalLink(
  about: { temporalUi: string | null; namespace: string } | undefined,
  workflowId: string,
): string | null {
  if (about === undefined || about.temporalUi === null || !/^https?:\/\//.test(about.temporalUi)) return null;
  const base = about.temporalUi.replace(/\/+$/, '');
  return `${base}/namespaces/${encodeURIComponent(about.namespace)}/workflows/${encodeURIComponent(workflowId)}`;
}
