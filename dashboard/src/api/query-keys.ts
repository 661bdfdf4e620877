/** The keys of the query cache. What an event invalidates by its beginning shares that beginning. */
export const queryKeys = {
  me: ['me'],
  overview: ['overview'],
  about: ['about'],
  integrations: ['integrations'],
  integration: (id: string) => ['integration', id],
  repositorySearches: ['repositories'],
  repositorySearch: (filters: Record<string, string>) => ['repositories', filters],
  /** Infinite: never invalidated by an event. */
  repositoryList: (filters: Record<string, string>) => ['repository-list', filters],
  repository: (id: string) => ['repository', id],
  scan: (id: string) => ['scan', id],
  /** Infinite: never invalidated by an event. */
  findings: (filters: Record<string, string>) => ['findings', filters],
  summaries: ['finding-summary'],
  finding: (id: string) => ['finding', id],
  channels: ['channels'],
  deliveries: (channelId: string) => ['channels', channelId, 'deliveries'],
  apiKeys: ['api-keys'],
  users: ['users'],
} as const;
