import { Navigate } from '@tanstack/react-router';
import { useHasRole } from '../../api/session.ts';

/** The first of the settings that the role may see. */
export default function Start() {
  return <Navigate to={useHasRole('admin') ? '/settings/channels' : '/settings/about'} replace />;
}
