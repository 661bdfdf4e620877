import { useMay } from '../../api/session.ts';
import { Page } from '../../parts/page.tsx';
import { NotAllowed } from '../../parts/states.tsx';
import { NewIntegrationForm } from './new/new-integration-form.tsx';

export default function NewIntegration() {
  const mayAdd = useMay('operator');
  return (
    <Page title="New integration">
      {mayAdd ? <NewIntegrationForm /> : <NotAllowed who="Operators and administrators" />}
    </Page>
  );
}
