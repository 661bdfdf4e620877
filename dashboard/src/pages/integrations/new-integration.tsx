import { useHasRole } from '../../api/session.ts';
import { Page } from '../../parts/page.tsx';
import { NotAllowed } from '../../parts/states.tsx';
import { NewIntegrationForm } from './new/new-integration-form.tsx';

export default function NewIntegration() {
  const mayAdd = useHasRole('operator');
  return (
    <Page title="New integration">
      {mayAdd ? <NewIntegrationForm /> : <NotAllowed roles="Operators and administrators" />}
    </Page>
  );
}
