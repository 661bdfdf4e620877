import { Page } from '../../parts/page.tsx';

export default function Integration() {
  return <Page title="Integration">{null}</Page>;
}
