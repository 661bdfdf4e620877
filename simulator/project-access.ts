export type Visibility = 'private' | 'internal' | 'public';
export type RepositoryAccess = 'enabled' | 'private' | 'disabled';

/** How a member got access. GitLab fills another side of `permissions` for each. */
type RoleSource = 'group' | 'project' | 'invited_group';
export type Role = { level: number; via: RoleSource };
