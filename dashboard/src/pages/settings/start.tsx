import { Navigate } from '@tanstack/react-router';
import { useMay } from '../../api/session.ts';

/** The first of the settings that the role may see. */
export default function Start() {
  return <Navigate to={useMay('admin') ? '/settings/channels' : '/settings/about'} replace />;
}
