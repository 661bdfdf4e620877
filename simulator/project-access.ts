export type Visibility = 'private' | 'internal' | 'public';
export type RepositoryAccess = 'enabled' | 'private' | 'disabled';

/** How a member got access. For each way GitLab fills another field of `permissions`. */
type RoleSource = 'group' | 'project' | 'invited_group';
export type Role = { level: number; via: RoleSource };
