/** Page and size of an offset request; like GitLab, caps the size at 100 without an error. */
export function page(query: URLSearchParams): { number: number; size: number } {
  const number = Math.max(1, Number(query.get('page') ?? '1') || 1);
  return { number, size: pageSize(query) };
}

export function pageSize(query: URLSearchParams): number {
  const requested = Number(query.get('per_page') ?? '20');
  return Math.min(100, requested >= 1 ? Math.floor(requested) : 20);
}

/**
 * The headers of one page of an offset listing. @see GitLab docs, "REST API", "Pagination response headers"
 */
export function offsetHeaders(options: {
  number: number;
  size: number;
  total: number;
  /** Address of another page of the same list. */
  urlOf: (number: number) => string;
}): Record<string, string> {
  const { number, size, total, urlOf } = options;
  const pages = Math.max(1, Math.ceil(total / size));
  const links = [
    ...(number > 1 ? [`<${urlOf(number - 1)}>; rel="prev"`] : []),
    ...(number < pages ? [`<${urlOf(number + 1)}>; rel="next"`] : []),
    `<${urlOf(1)}>; rel="first"`,
  ];
  const headers: Record<string, string> = {
    'X-Page': String(number),
    'X-Per-Page': String(size),
    'X-Next-Page': number < pages ? String(number + 1) : '',
    'X-Prev-Page': number > 1 ? String(number - 1) : '',
  };
  // GitLab does not count more rows than this: it omits the totals and the last page.
  if (total > 10_000) return { ...headers, Link: links.join(', ') };
  return {
    ...headers,
    'X-Total': String(total),
    'X-Total-Pages': String(pages),
    Link: [...links, `<${urlOf(pages)}>; rel="last"`].join(', '),
  };
}
