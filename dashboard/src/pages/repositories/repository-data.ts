import { queryOptions } from '@tanstack/react-query';
import { api, ask } from '../../api.ts';
import { keys } from '../../keys.ts';

export const fetchRepository = (id: string) => ask(api.repositories[':id'].$get({ param: { id } }));
export type Repository = Awaited<ReturnType<typeof fetchRepository>>;

export const repositoryQuery = (id: string) =>
  queryOptions({ queryKey: keys.repository(id), queryFn: () => fetchRepository(id) });
