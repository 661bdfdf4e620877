/** Keys of the query cache. Invalidation matches by prefix. */
export const queryKeys = {
  me: ['me'],
  overview: ['overview'],
  about: ['about'],
  integrations: ['integrations'],
  integration: (id: string) => ['integration', id],
  repositorySearches: ['repositories'],
  repositorySearch: (filters: Record<string, string>) => ['repositories', filters],
  /** Infinite list: events never invalidate it. */
  repositoryList: (filters: Record<string, string>) => ['repository-list', filters],
  repository: (id: string) => ['repository', id],
  scan: (id: string) => ['scan', id],
  /** Infinite list: events never invalidate it. */
  findings: (filters: Record<string, string>) => ['findings', filters],
  summaries: ['finding-summary'],
  finding: (id: string) => ['finding', id],
  channels: ['channels'],
  deliveries: (channelId: string) => ['channels', channelId, 'deliveries'],
  apiKeys: ['api-keys'],
  users: ['users'],
} as const;
