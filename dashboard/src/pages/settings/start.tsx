import { Navigate } from '@tanstack/react-router';
import { useHasRole } from '../../api/session.ts';

/** Redirects to the first settings page that the role may open. */
export default function Start() {
  return <Navigate to={useHasRole('admin') ? '/settings/channels' : '/settings/about'} replace />;
}
