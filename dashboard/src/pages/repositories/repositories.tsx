import { Page } from '../../parts/page.tsx';

export default function Repositories() {
  return <Page title="Repositories">{null}</Page>;
}
